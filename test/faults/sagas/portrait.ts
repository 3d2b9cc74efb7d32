/** How the world stands, in lines that can be compared: what is held, what runs, what is charged. */
import { checkQuotas, usedOn } from '@bivouac/all/checks/quotas';
import { Standing } from '@bivouac/all/checks/standing';
import { InvoiceBooked, InvoiceIssued } from '@bivouac/events/billing';
import { canonicalBytes, is } from '@bivouac/events/language';
import { axes } from '@bivouac/events/values';
import { isPublished } from '@bivouac/infra/bus';

import type { Disk } from './disk.ts';

/** The world without its operations: equal before an order and after one that left nothing behind. */
export async function portrait(disk: Disk): Promise<string[]> {
  const history = await disk.history();
  const standing = new Standing(history);
  const lines: string[] = [];
  for (const one of standing.containers.values()) {
    if (one.lifecycle === 'gone') continue;
    const { containerId, lifecycle, power, seen, memoryBytes, addresses, holds } = one;
    const facts = { lifecycle, power, seen, memoryBytes };
    lines.push(line('container', containerId, { ...facts, addresses, holds: [...holds.keys()] }));
  }
  for (const [id, { vector }] of standing.reservations) lines.push(line('reservation', id, vector));
  for (const [id, { address, containerId }] of standing.leases) {
    lines.push(line('lease', id, { address, containerId }));
  }
  for (const [id, { nodeId, containerId, vector }] of standing.placements) {
    lines.push(line('placement', id, { nodeId, containerId, vector }));
  }
  for (const id of standing.roster) lines.push(line('roster', id));
  for (const { accountId, containerId, addresses, open } of standing.subscriptions) {
    if (open) lines.push(line('charge', containerId, { accountId, addresses }));
  }
  const { levels } = checkQuotas(history);
  for (const tenantId of levels.keys()) {
    const used = axes.map((axis) => `${axis} ${usedOn(levels, tenantId, axis)}`);
    lines.push(line('quota', tenantId, used));
  }
  for (const event of history) {
    if (is(event, InvoiceIssued) || is(event, InvoiceBooked)) {
      const { number, total, month } = event.data;
      lines.push(line(event.type, event.stream, { number, total, month }));
    }
  }
  for (const seen of await disk.engine.list()) {
    const { containerId, state, addresses, limits } = seen;
    const packages = (await disk.engine.packages(containerId)).map(({ name }) => name);
    const memory = limits?.memoryBytes.toString();
    lines.push(line('instance', containerId, { state, addresses, memory, packages }));
  }
  return lines.sort();
}

/** How the operations stand. */
export async function ends(disk: Disk): Promise<string[]> {
  const { operations } = new Standing(await disk.history());
  return [...operations.values()]
    .map(({ operationId, kind, outcome }) => line('operation', operationId, { kind, outcome }))
    .sort();
}

/** Everything that was recorded, whatever came first: equal where nothing happened twice. */
export async function facts(disk: Disk): Promise<string[]> {
  const lines = (await disk.history())
    .filter(({ stream }) => isPublished(stream))
    .map(({ stream, type, data }) => line(stream, type, data));
  return lines.sort();
}

/** Ids come of attempts, and addresses of what is free then: without them, what was done again is the same. */
export function withoutIds(lines: readonly string[]): string[] {
  return lines
    .map((text) =>
      text
        .replaceAll(/\b([a-z]{3})_[0-9a-z]{26}\b/g, '$1')
        .replaceAll(/\b\d{1,3}(\.\d{1,3}){3}\b/g, 'address'),
    )
    .sort();
}

/** What is in one and not in the other. */
export function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const missing = left(wanted, found).map((text) => `missing: ${text}`);
  return [...missing, ...left(found, wanted).map((text) => `too much: ${text}`)];
}

/** As often as they are, not as sets. */
function left(from: readonly string[], taken: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of taken) counts.set(text, (counts.get(text) ?? 0) + 1);
  return from.filter((text) => {
    const count = counts.get(text) ?? 0;
    counts.set(text, count - 1);
    return count <= 0;
  });
}

function line(what: string, id: string, of: unknown = null): string {
  return `${what} ${id} ${Buffer.from(canonicalBytes(plain(of))).toString()}`;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, plain(one)]])),
  );
}
