/**
 * What can go wrong, done for real to an installation, one fault an alert: the log refuses, a read model is
 * sent nothing, an agent is gone. What is injected is a clock, and a log and a bus that fail as ones over a
 * network do; everything that notices, counts and tells is the product's.
 */
import { writeFile } from 'node:fs/promises';

import { DunningHoldDue } from '@bivouac/events/billing';
import { deriveId } from '@bivouac/events/values';
import { backupRecordOf } from '@bivouac/infra/event-store';
import { RELEASE } from '@bivouac/infra/process';

import { agentInstead } from './agent-instead.ts';
import { otherProcess, processAhead } from './alarmed.ts';
import { busyProcess } from './busy-process.ts';
import type { Fault } from './fault.ts';
import { backUp, fill, goOn, limit, overdue, until, whileTimePasses } from './happenings.ts';
import { relayAway } from './relay-away.ts';

const POLICY = 'accounts.dunning-holds';

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
    says: /accounts at embedded, 1 home /,
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
    says: /terminate at embedded, 1 operation /,
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
    alert: 'ClocksApart',
    how: 'a second process goes by a clock that is two hours ahead; it ends with the process',
    labels: { job: 'bivouac' },
    says: /the clock of ahead is 2 h 0 min ahead of that of embedded/,
    begin: async ({ beside, atEnd }) => {
      const { url, stop } = await processAhead(2 * 3_600_000);
      atEnd(stop);
      return beside('ahead', url);
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
    says: /embedded, 1 event /,
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
