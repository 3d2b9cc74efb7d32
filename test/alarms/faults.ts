/**
 * What can go wrong, done for real to an installation, one fault an alert: the log refuses, a read model is
 * sent nothing, an agent is gone. What is injected is a clock, and a log and a bus that fail as ones over a
 * network do; everything that notices, counts and tells is the product's.
 */
import { writeFile } from 'node:fs/promises';

import { DunningHoldDue } from '@bivouac/events/billing';
import { eventRegistry, type NewEvent } from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { backupLog, backupRecordOf, writeBackupRecord } from '@bivouac/infra/event-store';
import { RELEASE } from '@bivouac/infra/process';
import { systemPrincipal, type ThresholdName } from '@bivouac/infra/runtime';
import { SetLimit } from '@bivouac/quotas/api';

import { limitOf, newFolder } from '../e2e/installation.ts';

import { agentInstead } from './agent-instead.ts';
import { type Alarmed, otherProcess } from './alarmed.ts';
import { busyProcess } from './busy-process.ts';
import { relayAway } from './relay-away.ts';

export interface Fault {
  readonly alert: ThresholdName;
  /** How it comes about, as the table of docs/runbook.md has it. */
  readonly how: string;
  /** Labels that the alert carries. */
  readonly labels: Readonly<Record<string, string>>;
  /** What the status screen says, where it is. */
  readonly says: RegExp;
  readonly settings?: Readonly<Record<string, string>>;
  /** What the installation measures while it lasts, in full. */
  readonly values?: Readonly<Record<string, number>>;
  /** Makes it; answers how to end it. */
  readonly begin: (on: Alarmed) => Promise<() => Promise<void>>;
}

const POLICY = 'accounts.dunning-holds';
const registry = eventRegistry([DunningHoldDue]);

/** Seconds that are more than any alert waits for what does not get on. */
const LONG = 130;

export const faults: readonly Fault[] = [
  {
    alert: 'ProcessDown',
    how: 'a process says that it is not ready',
    labels: { instance: 'embedded' },
    says: /embedded \(http:\S+\) is not ready/,
    begin: ({ setReady }) => {
      setReady(false);
      return Promise.resolve(() => {
        setReady(true);
        return Promise.resolve();
      });
    },
  },
  {
    alert: 'ProcessDown',
    how: 'a process that was there has ended: nobody listens',
    labels: { instance: 'billing' },
    says: /billing \(http:\S+\) does not answer: .*ECONNREFUSED/,
    begin: async ({ beside }) => {
      const { url, stop } = await otherProcess(() => undefined);
      await stop();
      return beside('billing', url);
    },
  },
  {
    alert: 'FollowerLag',
    how: 'the log sends read models nothing, while 1,001 events are appended',
    labels: { follower: 'billing' },
    says: /billing at embedded, 1001 events/,
    values: {
      'follower_lag_events{follower="billing"}': 1001,
      'follower_lag_events{follower="audit"}': 1001,
      'follower_lag_seconds{follower="billing"}': 0,
    },
    begin: async ({ store, running }) => {
      const release = store.holdReadModels();
      // The one message that was on its way when it was held is applied with the rest.
      await fill(running, 1001);
      return async () => {
        release();
        await running.installation.host.settled();
      };
    },
  },
  {
    alert: 'FollowerWaits',
    how: 'the log sends read models nothing for 130 seconds after an event',
    labels: { follower: 'containers' },
    says: /containers at embedded, 2 min 10 s/,
    values: {
      'follower_lag_events{follower="containers"}': 1,
      'follower_lag_seconds{follower="containers"}': LONG,
    },
    begin: async ({ store, running }) => {
      const release = store.holdReadModels();
      await fill(running, 1);
      running.clock.advance(LONG * 1000);
      return async () => {
        release();
        await running.installation.host.settled();
      };
    },
  },
  {
    alert: 'PolicyLag',
    how: 'the log takes nothing of the stream that a policy writes to, while 1,001 events come for it',
    labels: { policy: POLICY },
    says: /accounts\.dunning-holds at embedded, 1001 events/,
    values: { [`policy_lag_events{policy="${POLICY}"}`]: 1001 },
    begin: async (on) => {
      const mend = on.store.failAppends('tree', 'unavailable');
      await overdue(on.running, 1001);
      return goOn(on, mend);
    },
  },
  {
    alert: 'PolicyWaits',
    how: 'the log takes nothing of the stream that a policy writes to, for 130 seconds after an event for it',
    labels: { policy: POLICY },
    says: /accounts\.dunning-holds at embedded, 2 min 10 s/,
    values: {
      [`policy_lag_events{policy="${POLICY}"}`]: 1,
      [`policy_lag_seconds{policy="${POLICY}"}`]: LONG,
    },
    begin: async (on) => {
      const mend = on.store.failAppends('tree', 'unavailable');
      await overdue(on.running, 1);
      on.running.clock.advance(LONG * 1000);
      return goOn(on, mend);
    },
  },
  {
    alert: 'RelayBehind',
    how: 'the brokers are away for 130 seconds after an event, to a relay of its own (they are pretended, the relay is not)',
    labels: { instance: 'relay' },
    says: /relay, 2 min 10 s/,
    begin: async ({ beside, atEnd }) => {
      const relay = await relayAway(LONG);
      atEnd(() => relay.stop());
      await beside('relay', relay.url);
      return () => relay.mend();
    },
  },
  {
    alert: 'HomeParked',
    how: 'an event is of an account that nobody knows; it ends when staff leave the event out',
    labels: { service: 'accounts' },
    says: /accounts at embedded, 1 homes/,
    values: {
      'parked_homes{service="accounts"}': 1,
      [`policy_events_total{policy="${POLICY}",outcome="parked"}`]: 1,
      [`policy_events_total{policy="${POLICY}",outcome="again"}`]: 2,
    },
    begin: async ({ running }) => {
      const [eventId] = await overdue(running, 1, deriveId('tenant', 'nobody'));
      const { host } = running.installation;
      await host.settled();
      const { homeId } = running.seeded.customer;
      return async () => {
        const skip = { service: 'ACCOUNTS', homeId, eventId, reason: 'a test' };
        for (let i = 0; ; i++) {
          // What is parked is written down, and read by who skips it, once a second.
          running.clock.advance(1000);
          // The log writes beside all this, in turns of its own.
          await new Promise((resolve) => setImmediate(resolve));
          await host.settled();
          const { __typename } = await running.staff.mutate('skipParkedEvent', skip, `skip ${i}`);
          if (__typename === 'ParkedEventSkipOrdered') break;
        }
        await host.settled();
      };
    },
  },
  {
    alert: 'OperationNeedsAttention',
    how: 'a node fails to destroy a container at every attempt; it ends when staff release the operation',
    labels: { kind: 'terminate' },
    says: /terminate at embedded, 1 operations/,
    settings: { NODE_URL: 'fake:?refuse=destroy:1' },
    values: { 'operations{kind="terminate",state="needs-attention"}': 1 },
    begin: async ({ running }) => {
      const containerId = await running.running();
      const order = { containerId, reason: 'not needed' };
      const ended = await running.end(await running.staff.mutate('terminateContainer', order));
      if (ended.status !== 'NEEDS_ATTENTION') throw new Error(`it is ${ended.status}`);
      return async () => {
        const release = { operationId: ended.id, reason: 'a test' };
        await running.staff.mutate('releaseOperation', release);
        await running.installation.host.settled();
      };
    },
  },
  {
    alert: 'OperationStuck',
    how: 'the log takes nothing of an operation for more than two hours after its order',
    labels: { kind: 'provision', state: 'running' },
    says: /provision at embedded, 2 h \d+ min/,
    values: {
      'operations{kind="provision",state="running"}': 1,
      'operation_oldest_seconds{kind="provision",state="running"}': 7200 + LONG,
    },
    begin: async (on) => {
      const order = await on.running.order();
      const mend = on.store.failAppends('operation', 'unavailable');
      on.running.clock.advance(2 * 3_600_000 + LONG * 1000);
      return async () => {
        mend();
        await whileTimePasses(on.running, 10_000, () => on.running.end(order));
      };
    },
  },
  {
    alert: 'TimersLate',
    how: 'the log takes no answer of a step for an hour, in which its deadline passes',
    labels: { service: 'provisioning' },
    says: /provisioning at embedded, \d+ min/,
    settings: { NODE_URL: 'fake:?slow=create:3000' },
    begin: async (on) => {
      const { running } = on;
      await running.whenStep(await running.order(), 'build');
      const mend = on.store.failAppends('answer', 'unavailable');
      running.clock.advance(3_600_000);
      return goOn(on, mend);
    },
  },
  {
    alert: 'NodeSilent',
    how: 'the agent of the only node is stopped, for 130 seconds; it ends when one is started again',
    labels: {},
    says: /node nod_\w+ is silent: not heard for 2 min 1\d s/,
    settings: { AGENT_LISTEN: '0' },
    begin: async ({ running, metrics, atEnd }) => {
      const agent = await agentInstead(running);
      await agent.stop();
      // The endpoint is told by the socket, a moment later; a scrape has to find it connected till then.
      while (/^bivouac_node_last_heard_seconds\{.*\} 0$/m.test((await metrics.scrape()).text)) {
        running.clock.advance(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
      running.clock.advance(LONG * 1000);
      return async () => {
        const back = await agentInstead(running);
        atEnd(() => back.stop());
      };
    },
  },
  {
    alert: 'BackupOld',
    how: 'no backup was ever made; it ends when `bivouac log backup` does what it does',
    labels: {},
    says: /no backup of the log was ever recorded/,
    begin: ({ running }) => Promise.resolve(() => backUp(running.folder)),
  },
  {
    alert: 'ReleaseSkew',
    how: 'a second process tells of another release (what it tells is given)',
    labels: {},
    says: /processes are of releases .*\(embedded\), 0\.0\.9 \(old\)/,
    begin: async ({ beside, atEnd }) => {
      const old = await otherProcess((metrics) => {
        metrics.gauge('build_info', { part: 'billing', release: '0.0.9' }).set(1);
      });
      atEnd(() => old.stop());
      return beside('old', old.url);
    },
  },
  {
    alert: 'EventVersionSkew',
    how: 'a second process tells that it reads no version of an event that the installation writes (what it tells is given)',
    labels: { type: DunningHoldDue.type },
    says: /billing\.DunningHoldDue is written in version \d+ by embedded, and old reads up to 0: roll old/,
    begin: async ({ beside, atEnd }) => {
      const old = await otherProcess((metrics) => {
        metrics.gauge('build_info', { part: 'billing', release: RELEASE }).set(1);
        metrics.gauge('event_version_read', { type: DunningHoldDue.type }).set(0);
      });
      atEnd(() => old.stop());
      return beside('old', old.url);
    },
  },
  {
    alert: 'UnknownOutcomes',
    how: 'the log does not say what became of an append; it ends minutes after that was known',
    labels: { category: 'ledger', instance: 'embedded' },
    says: /ledger at embedded, once within 5 min/,
    values: { 'unknown_outcomes_total{category="ledger"}': 1, frozen_streams: 0 },
    begin: async (on) => {
      const mend = on.store.failAppends('ledger', 'outcome-unknown');
      const answered = limit(on, 'unknown');
      await until(on, 'bivouac_frozen_streams 1');
      mend();
      on.running.clock.advance(60_000);
      await answered;
      return () => Promise.resolve();
    },
  },
  {
    alert: 'StreamFrozen',
    how: 'the log does not say what became of an append, however often it is sent',
    labels: { instance: 'embedded' },
    says: /embedded, 1 events/,
    values: { 'unknown_outcomes_total{category="ledger"}': 1, frozen_streams: 1 },
    begin: async (on) => {
      const mend = on.store.failAppends('ledger', 'outcome-unknown');
      const answered = limit(on, 'frozen');
      await until(on, 'bivouac_frozen_streams 1');
      return async () => {
        mend();
        on.running.clock.advance(60_000);
        await answered;
      };
    },
  },
  {
    alert: 'BusGaps',
    how: 'the bus loses an event for one service, which finds that and reads it from the log',
    labels: { service: 'accounts' },
    says: /accounts at embedded, once within 15 min/,
    values: {
      'gaps_repaired_total{service="accounts"}': 1,
      'events_recovered_total{service="accounts"}': 1,
      [`policy_events_total{policy="${POLICY}",outcome="done"}`]: 1,
    },
    begin: async ({ bus, running }) => {
      bus.lose('accounts', 1);
      await overdue(running, 1);
      // A marker that comes after it names what should have come before.
      await whileTimePasses(running, 1000, () => running.installation.host.settled());
      return () => Promise.resolve();
    },
  },
  {
    alert: 'Contention',
    how: 'somebody else is first at every append of a stream, so that a command gives up after eight',
    labels: { job: 'bivouac' },
    says: /ledger at embedded, [\d.]+ % of appends within 5 min/,
    values: {
      'contention_total{category="ledger"}': 1,
      'conflicts_total{category="ledger"}': 8,
      'commands_total{contract="quotas.SetLimit",outcome="contention"}': 1,
      'appends_total{outcome="conflict"}': 8,
    },
    begin: async (on) => {
      const mend = on.store.failAppends('ledger', 'conflict');
      let answered = false;
      const asked = limit(on, 'contended').finally(() => {
        answered = true;
      });
      while (!answered) {
        on.running.clock.advance(1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const reply = await asked;
      if (reply.ok || reply.refusal.code !== 'CONTENTION') throw new Error('it was not refused');
      mend();
      return () => Promise.resolve();
    },
  },
  {
    alert: 'EventLoopDelay',
    how: 'a process of its own computes for 0.7 s at a time; it ends when it does so no more',
    labels: { instance: 'busy' },
    says: /busy, [\d.]+ % of its timers came later than 0\.5 s within 5 min/,
    begin: async ({ beside, atEnd }) => {
      const busy = await busyProcess();
      atEnd(() => busy.stop());
      await beside('busy', busy.url);
      await busy.work();
      return () => busy.rest();
    },
  },
  {
    alert: 'NotMeasured',
    how: 'the record of backups cannot be read, at every scrape; it ends with the next backup',
    labels: { look: 'backup', instance: 'embedded' },
    says: /backup at embedded, \d+ times within 5 min/,
    begin: async ({ running, metrics }) => {
      await writeFile(backupRecordOf(running.folder), 'torn');
      for (let i = 0; i < 3; i++) await metrics.scrape();
      return () => backUp(running.folder);
    },
  },
];

/** So many events that nobody handles. */
async function fill({ installation, clock }: Alarmed['running'], count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, i): NewEvent => ({
    ...eventOf(clock.now(), `fill ${i}`, 'nobody', 'nobody'),
    ...{ type: 'test.Filled', schemaver: 1, data: Buffer.from('{}') },
  }));
  await append(installation.store, 'filling-1', events);
}

/** So many events for the policy of dunning, of one invoice: their ids. */
async function overdue(
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

function limit({ running }: Alarmed, key: string) {
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
function goOn({ running }: Alarmed, mend: () => void): () => Promise<void> {
  return () => {
    mend();
    return whileTimePasses(running, 10_000, () => running.installation.host.settled());
  };
}

/** Lets time pass, so many milliseconds a turn, until something is over. */
async function whileTimePasses(
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

async function until({ metrics }: Alarmed, line: string): Promise<void> {
  while (!(await metrics.scrape()).text.split('\n').includes(line))
    await new Promise((resolve) => setImmediate(resolve));
}

async function backUp(folder: string): Promise<void> {
  const to = `${await newFolder()}/copy`;
  const { epoch, head } = await backupLog(folder, to);
  // Records say when by the machine's clock.
  await writeBackupRecord(backupRecordOf(folder), { time: instantOf(Date.now()), to, epoch, head });
}
