/** Given these events, when this is decided, then …: a stream of this context in tests, without a host. */
import { containersEvents } from '@bivouac/events/containers';
import {
  type Decided,
  type Decision,
  type DecideContext,
  eventRegistry,
  formatPosition,
  type Recorded,
  type Refusal,
} from '@bivouac/events/language';
import type { ImageFacts, LeasedAddress, PlanTerms } from '@bivouac/events/operations';
import { deriveId, type IdKind, plusSeconds, uuidOf } from '@bivouac/events/values';
import type { Aggregate } from '@bivouac/infra/runtime';

export const start = '2026-04-10T09:00:00.000Z';

/** An id that is the same in every test. */
export function id(kind: IdKind, name = 'a'): string {
  return deriveId(kind, 'test', name);
}

const registry = eventRegistry(containersEvents);
let streams = 0;

/** A stream that decides and folds as the host would: each event by way of its canonical bytes. */
export class Stream<S> {
  readonly #aggregate: Aggregate<S>;
  /** An event's id is the log's own: no two streams of a test share one. */
  readonly #name = `test-${++streams}`;
  readonly log: Recorded[] = [];
  state: S;
  now: string = start;

  constructor(aggregate: Aggregate<S>, ...events: readonly Decided[]) {
    this.#aggregate = aggregate;
    this.state = aggregate.initial();
    this.record(events);
  }

  get context(): DecideContext {
    return {
      now: this.now,
      stream: `${this.#aggregate.category}-${this.#name}`,
      commandKey: uuidOf('test', String(this.log.length)),
      actorId: 'system:test',
      tenantId: id('tenant'),
      homeId: id('tenant'),
    };
  }

  later(seconds: number): this {
    this.now = plusSeconds(this.now, seconds);
    return this;
  }

  /** The types of the events decided, without their context, or the refusal's code. */
  when(decide: (state: S, context: DecideContext) => Decision): readonly string[] | string {
    const decision = decide(this.state, this.context);
    if (decision.kind === 'refused') return decision.refusal.code;
    this.record(decision.events);
    return decision.events.map((event) => event.type.slice('containers.'.length));
  }

  /** The refusal, whole. */
  refusal(decide: (state: S, context: DecideContext) => Decision): Refusal | undefined {
    const decision = decide(this.state, this.context);
    return decision.kind === 'refused' ? decision.refusal : undefined;
  }

  /** The body of the last event of this type. */
  last(type: string): Readonly<Record<string, unknown>> | undefined {
    return this.log.findLast((event) => event.type === `containers.${type}`)?.data;
  }

  count(type: string): number {
    return this.log.filter((event) => event.type === `containers.${type}`).length;
  }

  /** The state as a fresh process would have it. */
  replayed(): S {
    return this.log.reduce(
      (state, event) => this.#aggregate.evolve(state, event),
      this.#aggregate.initial(),
    );
  }

  record(events: readonly Decided[]): void {
    for (const decided of events) {
      const event = this.#stored(decided);
      this.log.push(event);
      this.state = this.#aggregate.evolve(this.state, event);
    }
  }

  #stored(decided: Decided): Recorded {
    const revision = BigInt(this.log.length);
    const { stream, commandKey, tenantId, homeId, actorId } = this.context;
    const recorded = registry.decode({
      ...registry.encode(decided),
      id: uuidOf(stream, String(revision)),
      type: decided.type,
      time: this.now,
      tenantid: tenantId,
      homeid: homeId,
      actorid: actorId,
      correlationid: 'test',
      causationid: 'test',
      commandkey: commandKey,
      inputhash: '',
      stream,
      revision,
      position: formatPosition(revision + 1n),
      epoch: 'test',
    });
    if (recorded === undefined) throw new Error(`${decided.type} is not declared`);
    return recorded;
  }
}

export function plan(more: Partial<PlanTerms> = {}): PlanTerms {
  const eur = (amount: string) => ({ amount, currency: 'EUR' });
  return {
    planId: id('plan'),
    code: '1000',
    name: 'Plan 1000',
    source: { stream: `plan-${id('plan')}`, revision: '0' },
    limits: {
      cpuMillis: 1000,
      memoryBytes: '1024',
      diskBytes: '4096',
      processes: 240,
      cpuUnits: 1000,
    },
    includedAddresses: 1,
    monthly: eur('20.00'),
    setup: eur('10.00'),
    extraAddressMonthly: eur('2.00'),
    ...more,
  };
}

export function imageFacts(): ImageFacts {
  return {
    imageId: id('image'),
    name: 'skel',
    digest: 'a'.repeat(64),
    source: 'builtin:skel',
    inventory: 'b'.repeat(64),
    at: { stream: `image-${id('image')}`, revision: '2' },
  };
}

export function address(name: string, last = 10): LeasedAddress {
  return {
    leaseId: id('lease', name),
    rangeId: id('range'),
    address: `192.0.2.${last}`,
    family: 'ipv4',
  };
}
