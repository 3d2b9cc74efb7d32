/**
 * A Kafka cluster that is a table: partitions with their messages, groups with their members, and what
 * goes wrong with both. The relay and the consumers that talk to it are the real ones.
 *
 * Wrong goes what may: messages come again or were lost, partitions are fetched in any order, commits
 * fail, members are taken for dead and hear of it late, so that two have a partition for a while.
 */
import type { Draws } from '@bivouac/all/draws';
import { PARTITIONS } from '@bivouac/infra/bus';

import type {
  CommittedOffset,
  Fetched,
  Member,
  MemberEvents,
  NewMember,
} from '../../../infra/bus/kafka/member.ts';
import type { Outgoing } from '../../../infra/bus/kafka/message.ts';
import type { MakesProducers } from '../../../infra/bus/kafka/publisher.ts';
import type { AsksOffsets } from '../../../infra/bus/kafka/starts.ts';
import type { SimulatedProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

export interface BusFaults {
  /** A batch arrives, and its sender hears nothing. */
  readonly lostAnswer: number;
  /** A message is gone though it was acknowledged. */
  readonly lostMessage: number;
  /** A fetch begins some messages before where it should. */
  readonly again: number;
  /** A commit is not taken. */
  readonly lostCommit: number;
}

/** Milliseconds a group waits for a member that is dead. */
const SESSION = { least: 100, quick: 600, most: 6000 } as const;
/** Messages of one fetch of a partition, at most. */
const FETCH = 20;
/** Milliseconds between two signs of life of a member that has nothing to fetch. */
const SIGN = 20_000;

type Message = Fetched['messages'][number];

export class SimulatedBroker {
  readonly scheduler: Scheduler;
  readonly draws: Draws;
  readonly faults: () => BusFaults;
  readonly #topic: Message[][] = Array.from({ length: PARTITIONS }, () => []);
  /** Partitions to which an event was sent. */
  readonly #written = new Set<number>();
  readonly #groups = new Map<string, Group>();

  constructor(scheduler: Scheduler, draws: Draws, faults: () => BusFaults) {
    this.scheduler = scheduler;
    this.draws = draws;
    this.faults = faults;
  }

  messages(partition: number): readonly Message[] {
    return this.#topic[partition] ?? [];
  }

  group(groupId: string): Group {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const group = new Group(this);
    this.#groups.set(groupId, group);
    return group;
  }

  groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  take(messages: readonly Outgoing[]): void {
    const { lostMessage } = this.faults();
    const grown = new Set<number>();
    for (const { partition, key, value, headers } of messages) {
      const there = this.#topic[partition];
      if (there === undefined) continue;
      // A partition that never had an event, not even a lost one, has nothing to be told of: these
      // markers are left out.
      if (key !== null) this.#written.add(partition);
      else if (!this.#written.has(partition)) continue;
      if (this.draws.chance(lostMessage)) continue;
      const offset = String(there.length);
      there.push({ key: key === null ? null : Buffer.from(key), value, headers, offset });
      grown.add(partition);
    }
    for (const group of this.#groups.values()) group.grown(grown);
  }

  /** Members as a process makes them. */
  membersOf(process: SimulatedProcess): NewMember {
    return ({ groupId }, events) => new SimulatedMember(process, this.group(groupId), this, events);
  }

  adminOf(process: SimulatedProcess): AsksOffsets {
    return {
      fetchTopicOffsets: () =>
        process.call('ask for offsets', async () =>
          this.#topic.map((there, partition) => {
            const high = String(there.length);
            return { partition, offset: high, high, low: '0' };
          }),
        ),
      fetchOffsets: ({ groupId }) =>
        process.call('ask for commits', async () => [
          {
            topic: TOPIC,
            partitions: [...this.group(groupId).commits].map(([partition, commit]) => ({
              ...{ partition, offset: commit.offset, metadata: commit.metadata },
            })),
          },
        ]),
    };
  }

  producersOf(process: SimulatedProcess): MakesProducers {
    return {
      producer: () => ({
        connect: () => process.call('connect to the bus', () => Promise.resolve()),
        disconnect: () => Promise.resolve(),
        send: ({ messages }) => {
          const outgoing = messages;
          const lost = this.draws.chance(this.faults().lostAnswer);
          const fate = lost
            ? { done: this.draws.chance(0.6), error: new Error('the brokers do not answer') }
            : 'answered';
          return process.call(
            `publish ${outgoing.length}`,
            () => {
              this.take(outgoing);
              return Promise.resolve([]);
            },
            fate,
          );
        },
      }),
    };
  }
}

export const TOPIC = 'events';

/** One consumer group: who is in it, and what each may fetch. */
export class Group {
  readonly commits = new Map<number, CommittedOffset>();
  readonly members: SimulatedMember[] = [];
  readonly #broker: SimulatedBroker;
  #generation = 0;
  #made = 0;

  constructor(broker: SimulatedBroker) {
    this.#broker = broker;
  }

  join(member: SimulatedMember): string {
    if (!this.members.includes(member)) this.members.push(member);
    this.#rebalance();
    // It died while it asked: nobody will hear of it again.
    if (member.process.over) this.expel(member);
    return `member-${++this.#made}`;
  }

  leave(member: SimulatedMember): void {
    const at = this.members.indexOf(member);
    if (at === -1) return;
    this.members.splice(at, 1);
    this.#rebalance();
  }

  /** It was killed, or taken for dead: the others get what it had, before it hears of that. */
  expel(member: SimulatedMember): void {
    const { scheduler, draws } = this.#broker;
    scheduler.after(
      draws.between(SESSION.least, SESSION.most),
      undefined,
      'a member is gone',
      () => {
        this.leave(member);
      },
    );
  }

  grown(partitions: ReadonlySet<number>): void {
    for (const member of this.members) member.grown(partitions);
  }

  /** Shares the partitions out anew; each member hears of it in its own time. */
  #rebalance(): void {
    const generation = ++this.#generation;
    const { scheduler, draws } = this.#broker;
    const count = this.members.length;
    const turn = draws.between(0, Math.max(0, count - 1));
    for (const [n, member] of this.members.entries()) {
      const partitions: number[] = [];
      for (let p = 0; p < PARTITIONS; p++) if ((p + turn) % count === n) partitions.push(p);
      const delay = draws.chance(0.8) ? draws.unit() * 50 : draws.unit() * 2000;
      scheduler.after(delay, member.process, 'its group comes together', () => {
        if (generation === this.#generation) member.assigned(partitions);
      });
    }
  }
}

class SimulatedMember implements Member {
  readonly process: SimulatedProcess;
  readonly #group: Group;
  readonly #broker: SimulatedBroker;
  readonly #events: MemberEvents;
  /** By partition, the next message to fetch. */
  readonly #next = new Map<number, number>();
  readonly #paused = new Set<number>();
  /** Raised by whatever makes a fetch under way stale. */
  readonly #course = new Map<number, number>();
  readonly #fetching = new Set<number>();
  #memberId: string | undefined;
  #joined: (() => void) | undefined;
  #over = false;

  constructor(
    process: SimulatedProcess,
    group: Group,
    broker: SimulatedBroker,
    events: MemberEvents,
  ) {
    this.process = process;
    this.#group = group;
    this.#broker = broker;
    this.#events = events;
    process.onEnd(() => {
      this.#group.expel(this);
    });
  }

  async join(): Promise<void> {
    await this.process.call('join a group', () => {
      this.#memberId = this.#group.join(this);
      return Promise.resolve();
    });
    if (this.#memberId === undefined || this.#over) return;
    if (this.#next.size > 0) return;
    this.#sign();
    await new Promise<void>((resolve) => {
      this.#joined = resolve;
    });
  }

  pause(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#paused.add(partition);
      this.#turn(partition);
    }
  }

  resume(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#paused.delete(partition);
      this.#fetch(partition);
    }
  }

  seek(partition: number, offset: string): void {
    this.#next.set(partition, Number(offset));
    this.#turn(partition);
    this.#fetch(partition);
  }

  commit(offsets: readonly CommittedOffset[]): Promise<void> {
    const lost = this.#broker.draws.chance(this.#broker.faults().lostCommit);
    const error = new Error('the group has another generation');
    return this.process.call(
      'commit offsets',
      () => {
        if (!this.#group.members.includes(this)) return Promise.reject(error);
        for (const each of offsets) this.#group.commits.set(each.partition, each);
        return Promise.resolve();
      },
      lost ? { done: false, error } : 'answered',
    );
  }

  leave(): Promise<void> {
    this.#over = true;
    this.#next.clear();
    return this.process.call('leave a group', () => {
      this.#group.leave(this);
      return Promise.resolve();
    });
  }

  /** The group has given it these. */
  assigned(partitions: readonly number[]): void {
    if (this.#over || this.#memberId === undefined) return;
    for (const partition of [...this.#next.keys()]) {
      if (!partitions.includes(partition)) this.#next.delete(partition);
    }
    for (const partition of partitions) {
      if (this.#next.has(partition)) continue;
      const committed = this.#group.commits.get(partition);
      this.#next.set(partition, committed === undefined ? 0 : Number(committed.offset));
      this.#turn(partition);
    }
    this.#events.joined(partitions, this.#memberId);
    for (const partition of partitions) this.#fetch(partition);
    this.#joined?.();
    this.#joined = undefined;
  }

  /** It was taken for dead by its group, and is told so some time after. */
  lose(): void {
    if (this.#over) return;
    this.#group.leave(this);
    const delay = this.#broker.draws.unit() * 3000;
    this.#broker.scheduler.after(delay, this.process, 'hears that it has lost its group', () => {
      if (this.#over) return;
      this.#over = true;
      this.#next.clear();
      const error = Object.assign(new Error('unknown member'), { type: 'UNKNOWN_MEMBER_ID' });
      this.#events.crashed(Object.assign(error, { retriable: true }));
      this.#joined?.();
    });
  }

  grown(partitions: ReadonlySet<number>): void {
    for (const partition of partitions) this.#fetch(partition);
  }

  #sign(): void {
    this.#broker.scheduler.after(SIGN, this.process, 'fetches nothing', () => {
      if (this.#over) return;
      this.#events.fetched();
      this.#sign();
    });
  }

  #turn(partition: number): void {
    this.#course.set(partition, (this.#course.get(partition) ?? 0) + 1);
  }

  #fetch(partition: number): void {
    if (this.#over || this.#fetching.has(partition) || this.#paused.has(partition)) return;
    const next = this.#next.get(partition);
    if (next === undefined || next >= this.#broker.messages(partition).length) return;
    this.#fetching.add(partition);
    this.#broker.scheduler.after(
      this.process.latency(),
      this.process,
      `fetches ${partition}`,
      () => {
        this.#fetching.delete(partition);
        this.#hand(partition);
        this.#fetch(partition);
      },
    );
  }

  #hand(partition: number): void {
    const next = this.#next.get(partition);
    if (this.#over || this.#paused.has(partition) || next === undefined) return;
    const { draws } = this.#broker;
    const back = draws.chance(this.#broker.faults().again) ? draws.between(1, 8) : 0;
    const from = Math.max(0, next - back);
    const messages = this.#broker.messages(partition).slice(from, from + draws.between(1, FETCH));
    if (messages.length === 0) return;
    const course = this.#course.get(partition);
    this.#events.fetched();
    this.#events.batch({
      partition,
      messages: withoutOvertaken(messages),
      isStale: () => this.#course.get(partition) !== course || !this.#next.has(partition),
      resolve: (offset) => {
        if (this.#course.get(partition) !== course) return;
        this.#next.set(partition, Math.max(next, Number(offset) + 1));
      },
    });
  }
}

/** Of markers in a row the last says all that the others did: topics that are compacted lose these. */
function withoutOvertaken(messages: readonly Message[]): readonly Message[] {
  return messages.filter((each, n) => {
    const after = messages[n + 1];
    return each.key !== null || after === undefined || after.key !== null;
  });
}
