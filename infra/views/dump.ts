/**
 * The canonical dump of a read model, by which "rebuild equals live" is checked: every table by
 * primary key, each row as canonical JSON, hashed by table and over all.
 */
import { createHash } from 'node:crypto';
import { canonicalText } from '@bivouac/events/language';
import type { Checkpoint } from '../event-store/port.ts';

/** A row as the dump hashes it. */
export interface DumpedRow {
  readonly table: string;
  readonly key: string;
  /** RFC 8785. */
  readonly json: string;
}

export interface TableDump {
  readonly rows: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

/** Tables without rows are not listed. */
export interface Dump {
  readonly tables: Readonly<Record<string, TableDump>>;
  /** SHA-256 over all tables, hexadecimal. Two read models with the same have the same rows. */
  readonly sha256: string;
  /** What the rows are of; not part of the hash. */
  readonly checkpoint: Checkpoint | undefined;
}

/** A row for the dump. */
export function dumpedRow(table: string, key: string, row: object): DumpedRow {
  return { table, key, json: canonicalText(row) };
}

/** Hashes rows that come by table, tables by name and rows by primary key. */
export function dumpOf(rows: Iterable<DumpedRow>, checkpoint: Checkpoint | undefined): Dump {
  const tables: Record<string, TableDump> = {};
  const whole = createHash('sha256');
  let name: string | undefined;
  let count = 0;
  let hash = createHash('sha256');
  const finish = (): void => {
    if (name === undefined) return;
    const sha256 = hash.digest('hex');
    tables[name] = { rows: count, sha256 };
    whole.update(`${JSON.stringify(name)} ${count} ${sha256}\n`);
  };
  for (const row of rows) {
    if (row.table !== name) {
      finish();
      name = row.table;
      count = 0;
      hash = createHash('sha256');
    }
    count += 1;
    hash.update(`${JSON.stringify(row.key)} ${row.json}\n`);
  }
  finish();
  return { tables, sha256: whole.digest('hex'), checkpoint };
}
