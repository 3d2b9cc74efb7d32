/** What faults are made of: events that come, commands that are given, time that passes, a backup. */
import { DunningHoldDue } from '@bivouac/events/billing';
import { eventRegistry, type NewEvent } from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { backupLog, backupRecordOf, writeBackupRecord } from '@bivouac/infra/event-store';
import { systemPrincipal } from '@bivouac/infra/runtime';
import { SetLimit } from '@bivouac/quotas/api';

import { limitOf, newFolder } from '../e2e/installation.ts';

import type { Alarmed } from './alarmed.ts';

const registry = eventRegistry([DunningHoldDue]);

/** So many events that nobody handles. */
export async function fill(
  { installation, clock }: Alarmed['running'],
  count: number,
): Promise<void> {
  const events = Array.from({ length: count }, (_, i): NewEvent => ({
    ...eventOf(clock.now(), `fill ${i}`, 'nobody', 'nobody'),
    ...{ type: 'test.Filled', schemaver: 1, data: Buffer.from('{}') },
  }));
  await append(installation.store, 'filling-1', events);
}

/** So many events for the policy of dunning, of one invoice: their ids. */
export async function overdue(
  { installation, clock, seeded }: Alarmed['running'],
  count: number,
  accountId = seeded.customer.tenantId,
): Promise<readonly string[]> {
  const { homeId } = seeded.customer;
  const invoiceId = deriveId('invoice', 'overdue');
  const events = Array.from({ length: count }, (_, i): NewEvent => ({
    ...registry.encode(DunningHoldDue({ accountId, homeId, invoiceId, stage: 'hold' })),
    ...eventOf(clock.now(), `overdue ${i}`, accountId, homeId),
  }));
  await append(installation.store, 'overdue-1', events);
  return events.map(({ id }) => id);
}

function eventOf(now: number, name: string, tenantid: string, homeid: string) {
  const commandkey = uuidOf(name);
  return {
    ...{ id: uuidOf(commandkey, '0'), type: DunningHoldDue.type, time: instantOf(now) },
    ...{ tenantid, homeid, actorid: 'test', commandkey, inputhash: '' },
    ...{ correlationid: commandkey, causationid: commandkey },
  };
}

async function append(
  store: Pick<Alarmed['store'], 'append'>,
  stream: string,
  events: readonly NewEvent[],
): Promise<void> {
  const PAGE = 250;
  for (let from = 0; from < events.length; from += PAGE) {
    const expected = from === 0 ? 'no-stream' : BigInt(from - 1);
    await store.append(stream, expected, events.slice(from, from + PAGE));
  }
}

export function limit({ running }: Alarmed, key: string) {
  const { installation, seeded } = running;
  const { tenantId, homeId } = installation.provider;
  return installation.host.command(
    SetLimit,
    {
      ...{ tenantId: seeded.customer.tenantId, homeId: seeded.customer.homeId },
      ...{ limit: limitOf(7), reason: 'a test' },
    },
    { principal: systemPrincipal('system:test', tenantId, homeId), idempotencyKey: key },
  );
}

/** Mends the log; what waited for it is tried again a while later. */
export function goOn({ running }: Alarmed, mend: () => void): () => Promise<void> {
  return () => {
    mend();
    return whileTimePasses(running, 10_000, () => running.installation.host.settled());
  };
}

/** Lets time pass, so many milliseconds a turn, until something is over. */
export async function whileTimePasses(
  { clock }: Alarmed['running'],
  each: number,
  what: () => Promise<unknown>,
): Promise<void> {
  let over = false;
  const all = what().finally(() => {
    over = true;
  });
  while (!over) {
    clock.advance(each);
    // The log writes beside all this, in turns of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
}

export async function until({ metrics }: Alarmed, line: string): Promise<void> {
  while (!(await metrics.scrape()).text.split('\n').includes(line))
    await new Promise((resolve) => setImmediate(resolve));
}

export async function backUp(folder: string): Promise<void> {
  const to = `${await newFolder()}/copy`;
  const { epoch, head } = await backupLog(folder, to);
  // Records say when by the machine's clock.
  await writeBackupRecord(backupRecordOf(folder), { time: instantOf(Date.now()), to, epoch, head });
}
