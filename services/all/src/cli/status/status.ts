/** `bivouac status`: asks every process of the installation, and says what is wrong and what to do. */
import { backupRecordFile, readBackupRecord } from '@bivouac/infra/event-store';
import { servicePorts } from '@bivouac/infra/process';
import { type Config, metricsAddress } from '@bivouac/infra/runtime';

import type { Outcome } from '../outcome.ts';
import { evaluate } from './evaluate.ts';
import { look, type Target } from './look.ts';
import { screenOf } from './screen.ts';

export interface StatusOptions {
  readonly config: Pick<
    Config,
    'EVENT_STORE_URL' | 'BACKUP_RECORD_FILE' | 'METRICS_LISTEN' | 'PORT'
  >;
  /** Where the metrics of each process are, by name; empty: where they are without settings, on this machine. */
  readonly at: ReadonlyMap<string, readonly string[]>;
  readonly json: boolean;
  readonly colours: boolean;
  /** Milliseconds for which a process may keep one waiting. */
  readonly deadline: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Ends the asking before its deadline. */
  readonly ended?: AbortSignal | undefined;
}

/** Never rejects. Exit code 2 where no process said anything and so nothing can be told. */
export async function status(options: StatusOptions): Promise<Outcome> {
  const { config, json, colours, deadline, now, ended } = options;
  const looks = await Promise.all(
    targetsOf(options).map((target) => look(target, deadline, ended)),
  );
  const file = backupRecordFile(config);
  const record = file === undefined ? 'none' : readBackupRecord(file);
  const report = evaluate(
    looks,
    now,
    record === 'unreadable'
      ? { unreadable: file ?? '' }
      : typeof record === 'object'
        ? Date.parse(record.time)
        : undefined,
  );
  const told = looks.some(({ samples }) => samples !== undefined);
  const exitCode = !told ? 2 : report.problems.length > 0 ? 1 : report.unclear.length > 0 ? 2 : 0;
  return { exitCode, text: json ? JSON.stringify(report) : screenOf(report, colours) };
}

function targetsOf({ config, at }: StatusOptions): readonly Target[] {
  if (at.size > 0) {
    return [...at].flatMap(([name, urls]) =>
      urls.map((url, i) => ({ name: urls.length === 1 ? name : `${name} ${i + 1}`, url })),
    );
  }
  if (config.EVENT_STORE_URL.startsWith('sqlite:')) {
    const address = metricsAddress(config);
    return address === undefined ? [] : [{ name: 'embedded', url: urlOf(address) }];
  }
  const ports = { relay: 4200, ...servicePorts, gateway: 4000, endpoint: 4110 };
  return Object.entries(ports).flatMap(([name, PORT]) => {
    const address = metricsAddress({ PORT });
    return address === undefined ? [] : [{ name, url: urlOf(address) }];
  });
}

function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
