/**
 * The commands of one stream, one after the other: decided on the same loaded state, appended
 * together. The store decides races: every append names the exact revision it was decided on.
 */
import type {
  Decided,
  DecideContext,
  Decision,
  EventRegistry,
  NewEvent,
  Position,
  Recorded,
  Refusal,
} from '@bivouac/events/language';
import { refuse } from '@bivouac/events/language';
import { instantOf, uuidOf } from '@bivouac/events/values';

import type { SpanContext } from '@opentelemetry/api';

import { type AppendResult, type EventStore, EventStoreError } from '../../event-store/port.ts';
import { isTracing, startAppend } from '../../tracing/spans.ts';
import type { Clock } from '../clock.ts';
import type { Aggregate, Owner } from '../definitions.ts';
import { RuntimeError } from '../errors.ts';
import { LoadedStream } from './loaded-stream.ts';
import type { StreamMeasures } from './measures.ts';
import type { StreamSnapshots } from './snapshots/index.ts';

/** How often a command is decided again after a conflict before the caller hears of contention. */
const ATTEMPTS = 8;
/** How long, in milliseconds, a caller waits for an append whose outcome is unknown. */
const PATIENCE = 5000;
/** Most commands that share an append. */
const SHARED = 64;

/** A command on its way, decided by the queue. */
export interface Job {
  readonly commandKey: string;
  readonly inputHash: string;
  readonly actorId: string;
  readonly correlationId: string;
  readonly causationId: string;
  /** A policy's repeat with other input counts as done. */
  readonly otherInputIsDone: boolean;
  readonly reaches: (tenantId: string) => boolean;
  /** Whose the stream will be, if this command creates it. */
  readonly owner: Owner | undefined;
  /** Only while this is the stream's last revision. */
  readonly expectedRevision?: bigint | undefined;
  readonly decide: (state: unknown, context: DecideContext) => Decision;
  /** The command's span, where there is one: the parent of its events'. */
  readonly span?: SpanContext | undefined;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

export type Outcome =
  | {
      readonly kind: 'appended';
      readonly events: readonly Recorded[];
      readonly result: AppendResult;
    }
  | { readonly kind: 'nothing'; readonly revision: bigint | undefined }
  | { readonly kind: 'repeated'; readonly from: bigint; readonly count: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** A look at the state at the stream's present end, in turn with the commands. */
interface Look {
  /** Must not keep or change what it is given: it is read between two batches, at once. */
  readonly read: (stream: LoadedStream) => void;
  readonly reject: (error: unknown) => void;
}

export interface QueueDependencies {
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
  readonly providerId: () => string;
  readonly stopping: AbortSignal;
  readonly snapshots: StreamSnapshots | undefined;
  readonly measures: StreamMeasures;
}

interface Taken {
  readonly job: Job;
  readonly events: readonly Recorded[];
}

/** A batch decided on the loaded state, not yet appended. */
interface Batch {
  readonly taken: readonly Taken[];
  /** Answers given on speculative state: they count only once the append has gone through. */
  readonly answers: readonly { readonly job: Job; readonly outcome: Outcome }[];
  readonly appends: readonly NewEvent[];
}

export class StreamQueue {
  readonly #stream: string;
  readonly #aggregate: Aggregate;
  readonly #deps: QueueDependencies;
  #loaded: LoadedStream | undefined;
  #jobs: Job[] = [];
  #looks: Look[] = [];
  #running = false;
  /** After a batch failed for something that may be one command's fault: one at a time. */
  #single = 0;

  constructor(stream: string, aggregate: Aggregate, deps: QueueDependencies) {
    this.#stream = stream;
    this.#aggregate = aggregate;
    this.#deps = deps;
  }

  /** Nothing is waiting or under way: the queue may be forgotten. */
  get idle(): boolean {
    return !this.#running && this.#jobs.length === 0 && this.#looks.length === 0;
  }

  push(job: Job): void {
    this.#jobs.push(job);
    this.#wake();
  }

  /** Reads the state at the stream's present end, between two batches: never a speculative one. */
  look<T>(read: (stream: LoadedStream) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#looks.push({
        read: (stream) => {
          resolve(read(stream));
        },
        reject,
      });
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0 || this.#looks.length > 0) {
      const looks = this.#looks.splice(0);
      const jobs = this.#jobs.splice(0, this.#single > 0 ? 1 : SHARED);
      if (this.#single > 0) this.#single -= jobs.length;
      try {
        if (looks.length > 0) {
          const loaded = await this.#present();
          for (const look of looks) look.read(loaded);
        }
        if (jobs.length > 0) await this.#process(jobs);
      } catch (error) {
        // Whatever was half done is forgotten; the next command reads the stream anew.
        this.#loaded = undefined;
        for (const look of looks) look.reject(error);
        for (const job of jobs) job.reject(error);
      }
    }
    this.#running = false;
  }

  async #process(jobs: readonly Job[]): Promise<void> {
    if (this.#loaded === undefined) await this.#present();
    const loaded = this.#loaded ?? (await this.#present());
    let batch = this.#decide(loaded, jobs);
    if (batch.appends.length === 0) {
      // A refusal or a no-op is given only on the stream's present end.
      if (await loaded.catchUp(this.#deps.store)) {
        batch = this.#decide(loaded, jobs);
      }
      if (batch.appends.length === 0) {
        settle(batch, undefined);
        return;
      }
    }
    await this.#append(jobs, batch);
  }

  async #append(jobs: readonly Job[], batch: Batch): Promise<void> {
    const first = batch.taken[0]?.events[0];
    const expected =
      first === undefined || first.revision === 0n ? 'no-stream' : first.revision - 1n;
    const spans = isTracing() ? this.#spansOf(batch) : [];
    let result: AppendResult;
    try {
      result = await this.#appendKnowing(expected, batch.appends, jobs);
    } catch (error) {
      this.#loaded = undefined;
      if (!(error instanceof EventStoreError)) throw error;
      if (error.code === 'conflict') {
        this.#deps.measures.conflicts.add();
        await this.#again(jobs);
        return;
      }
      if (jobs.length > 1 && (error.code === 'too-large' || error.code === 'invalid')) {
        this.#single = jobs.length;
        this.#jobs.unshift(...jobs);
        return;
      }
      throw error;
    }
    for (const span of spans) {
      span.note({
        'bivouac.position': result.position,
        'bivouac.append.events': batch.appends.length,
        'bivouac.append.commands': batch.taken.length,
      });
      span.end();
    }
    settle(batch, result);
    if (this.#loaded !== undefined) {
      this.#loaded.lastPosition = result.position;
      this.#deps.snapshots?.note(this.#loaded, this.#aggregate);
    }
  }

  /** One for each event; of an append that fails they are never ended, so they never were. */
  #spansOf({ taken }: Batch) {
    return taken.flatMap(({ job, events }) =>
      events.map((event) => startAppend(event, this.#stream, event.revision, job.span)),
    );
  }

  /** Decides again after somebody else was first, a little later each time, each a little differently. */
  async #again(jobs: readonly Job[]): Promise<void> {
    const still: Job[] = [];
    for (const job of jobs) {
      job.attempts += 1;
      if (job.attempts < ATTEMPTS) still.push(job);
      else {
        this.#deps.measures.contention.add();
        job.reject(
          new RuntimeError(
            'contention',
            `${this.#stream} kept changing while the command was decided; nothing was done, send it again`,
          ),
        );
      }
    }
    this.#jobs.unshift(...still);
    const attempt = Math.max(0, ...still.map((job) => job.attempts));
    const jitter = (this.#deps.random(1)[0] ?? 0) / 255;
    if (attempt > 1) await this.#deps.clock.sleep(2 ** attempt * jitter, this.#deps.stopping);
  }

  /**
   * Appends until the outcome is known. The queue stands still meanwhile: whatever was decided next
   * would be decided on a state nobody knows.
   */
  async #appendKnowing(
    expected: bigint | 'no-stream',
    events: readonly NewEvent[],
    jobs: readonly Job[],
  ): Promise<AppendResult> {
    let waited = 0;
    let thaw: (() => void) | undefined;
    try {
      for (let wait = 20; ; wait = Math.min(wait * 2, 2000)) {
        try {
          return await this.#deps.store.append(this.#stream, expected, events);
        } catch (error) {
          const unknown = error instanceof EventStoreError && error.code === 'outcome-unknown';
          if (unknown && thaw === undefined) {
            this.#deps.measures.unknown.add();
            thaw = this.#deps.measures.freeze();
          }
          if (!unknown || this.#deps.stopping.aborted) throw error;
          if (waited >= PATIENCE) this.#answerImpatient(jobs, error);
          await this.#deps.clock.sleep(wait, this.#deps.stopping);
          waited += wait;
        }
      }
    } finally {
      thaw?.();
    }
  }

  /** Callers do not wait for ever; the stream stays frozen all the same. */
  #answerImpatient(underWay: readonly Job[], cause: unknown): void {
    for (const job of underWay) {
      job.reject(
        new RuntimeError(
          'outcome-unknown',
          'The store has not confirmed the command; send it again with the same key.',
          { cause },
        ),
      );
    }
    const waiting = new RuntimeError(
      'unavailable',
      'The store does not answer; nothing was done, send it again.',
      { cause },
    );
    for (const job of this.#jobs.splice(0)) job.reject(waiting);
    for (const look of this.#looks.splice(0)) look.reject(waiting);
  }

  async #present(): Promise<LoadedStream> {
    const { snapshots, store, registry } = this.#deps;
    const known = this.#loaded;
    const loaded = known ?? new LoadedStream(this.#stream, this.#aggregate, registry);
    this.#loaded = undefined;
    if (known === undefined && snapshots?.has(this.#stream) === true) {
      await snapshots.restore(loaded, this.#aggregate);
    }
    await loaded.catchUp(store);
    snapshots?.note(loaded, this.#aggregate);
    this.#loaded = loaded;
    return loaded;
  }

  /** Decides all jobs, each on the state the ones before it would leave. */
  #decide(loaded: LoadedStream, jobs: readonly Job[]): Batch {
    const taken: Taken[] = [];
    const answers: { job: Job; outcome: Outcome }[] = [];
    const appends: NewEvent[] = [];
    for (const job of jobs) {
      let outcome;
      try {
        outcome = this.#decideOne(loaded, job);
      } catch (error) {
        // A defect of one decision (nothing was folded yet) must not hit the others.
        job.reject(error);
        continue;
      }
      if (outcome.kind !== 'events') {
        answers.push({ job, outcome });
        continue;
      }
      for (const { recorded, event } of outcome.events) {
        appends.push(event);
        loaded.noteEnvelope(recorded);
        loaded.state = this.#aggregate.evolve(loaded.state, recorded);
      }
      taken.push({ job, events: outcome.events.map((e) => e.recorded) });
    }
    return { taken, answers, appends };
  }

  #decideOne(
    loaded: LoadedStream,
    job: Job,
  ):
    | Outcome
    | {
        readonly kind: 'events';
        readonly events: readonly { recorded: Recorded; event: NewEvent }[];
      } {
    const foreign = loaded.tenantId !== undefined && !job.reaches(loaded.tenantId);
    const remembered = foreign ? undefined : loaded.memory.recall(job.commandKey);
    if (remembered !== undefined) {
      if (remembered.inputHash !== job.inputHash && !job.otherInputIsDone) return keyUsedOtherwise;
      return { kind: 'repeated', from: remembered.from, count: remembered.count };
    }
    // After the repeat, which has its answer; before the decision, which is about what is there now.
    if (!foreign && loaded.revision !== undefined && job.expectedRevision !== undefined) {
      const { revision } = loaded;
      if (revision !== job.expectedRevision) return changedSince(job.expectedRevision, revision);
    }
    const owner = this.#ownerOf(loaded, job);
    const now = laterInstant(instantOf(this.#deps.clock.now()), loaded.lastTime);
    const context: DecideContext = {
      now,
      stream: this.#stream,
      commandKey: job.commandKey,
      actorId: job.actorId,
      ...owner,
    };
    // What is another tenant's is answered exactly as if it did not exist.
    const decision = job.decide(foreign ? this.#aggregate.initial() : loaded.state, context);
    if (decision.kind === 'refused') return { kind: 'refused', refusal: decision.refusal };
    if (foreign || (!loaded.exists && job.owner === undefined)) return missing;
    if (decision.events.length === 0) return { kind: 'nothing', revision: loaded.revision };
    return { kind: 'events', events: this.#record(loaded, job, context, decision.events) };
  }

  #record(
    loaded: LoadedStream,
    job: Job,
    context: DecideContext,
    events: readonly Decided[],
  ): { recorded: Recorded; event: NewEvent }[] {
    let revision = loaded.revision === undefined ? 0n : loaded.revision + 1n;
    return events.map((decided, index) => {
      const encoded = this.#deps.registry.encode(decided);
      const said: Omit<NewEvent, 'id'> = {
        type: decided.type,
        schemaver: encoded.schemaver,
        time: context.now,
        tenantid: context.tenantId,
        homeid: context.homeId,
        actorid: job.actorId,
        correlationid: job.correlationId,
        causationid: job.causationId,
        commandkey: job.commandKey,
        inputhash: job.inputHash,
        data: encoded.data,
      };
      const event: NewEvent = { ...said, id: idOf(said, index) };
      const recorded: Recorded = {
        ...event,
        // Not what was decided: what the other replicas will read.
        data: this.#deps.registry.readBack(decided, encoded),
        stream: this.#stream,
        revision: revision++,
        position: '',
        epoch: '',
      };
      return { recorded, event };
    });
  }

  #ownerOf(loaded: LoadedStream, job: Job): { tenantId: string; homeId: string } {
    if (loaded.tenantId !== undefined && loaded.homeId !== undefined) {
      return { tenantId: loaded.tenantId, homeId: loaded.homeId };
    }
    if (job.owner === undefined) return { tenantId: '', homeId: '' };
    if (job.owner === 'platform')
      return { tenantId: this.#deps.providerId(), homeId: this.#stream };
    return job.owner;
  }
}

const missing: Outcome = {
  kind: 'refused',
  refusal: refuse('NOT_FOUND', 'There is no such thing, or it is not yours; check the id.').refusal,
};

const keyUsedOtherwise: Outcome = {
  kind: 'refused',
  refusal: refuse(
    'IDEMPOTENCY_CONFLICT',
    'This idempotency key was used before with other input; use a new key for a new request.',
    { path: ['idempotencyKey'] },
  ).refusal,
};

function changedSince(expected: bigint, actual: bigint): Outcome {
  return {
    kind: 'refused',
    refusal: refuse(
      'VERSION_CONFLICT',
      `It has changed since version ${expected}; it is at ${actual} now. Read it again and decide anew.`,
      {
        path: ['expectedVersion'],
        details: { expected: expected.toString(), actual: actual.toString() },
      },
    ).refusal,
  };
}

function settle(batch: Batch, result: AppendResult | undefined): void {
  if (result !== undefined) {
    for (const { job, events } of batch.taken) {
      // The position is that of the whole append: whoever waits for it has waited for its own part.
      const revision = events.at(-1)?.revision ?? result.revision;
      job.resolve({ kind: 'appended', events, result: { revision, position: result.position } });
    }
  }
  for (const { job, outcome } of batch.answers) job.resolve(outcome);
}

/**
 * Two replicas can decide one command at once, each a moment apart and so on other times, deadlines or
 * secrets. A store answers an append of known ids as it did the first time; were the ids the command's
 * alone, both replicas would take their own events for those in the log.
 */
function idOf(event: Omit<NewEvent, 'id'>, index: number): string {
  const { commandkey, time, actorid, correlationid, causationid, data } = event;
  const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  return uuidOf(commandkey, String(index), time, actorid, correlationid, causationid, body);
}

function laterInstant(a: string, b: string): string {
  return a > b ? a : b;
}

/** Where a caller can wait for what it did. */
export function positionOf(outcome: Outcome): Position | undefined {
  return outcome.kind === 'appended' ? outcome.result.position : undefined;
}
