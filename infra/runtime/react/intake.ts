/**
 * Takes the bus's messages: drops what was seen, finds what was lost, hands events to the queues of
 * their targets, parks homes, and keeps the marks. An event that nobody handles is not even decoded.
 */
import {
  EventDecodeError,
  type EventRegistry,
  type Position,
  type Recorded,
  type StoredEvent,
} from '@bivouac/events/language';
import { instantOf } from '@bivouac/events/values';

import { type BusMessage, type Mark, PARTITIONS } from '../../bus/port.ts';
import type { EventStore } from '../../event-store/port.ts';
import { appendOf, inSpan, isTracing, type Spanned, startSpan } from '../../tracing/spans.ts';
import { spanNamed } from '../../tracing/traceparent.ts';
import { RuntimeError } from '../errors.ts';
import { attempt, type AttemptsContext, type Outcome } from './attempts.ts';
import { type Entry, PartitionMarks } from './marks.ts';
import type { Handlers } from './handlers.ts';
import { MAX_PARKED, type ParkedEvent, type Parking } from './parking.ts';
import { readMissing } from './missing.ts';
import type { ParkingReason, Reaction } from './reaction.ts';
import { type Task, Work } from './work.ts';

/** Events under way on one partition before the bus has to wait: bounds memory, not order. */
const UNDER_WAY = 512;

const TAKEN = Promise.resolve();

export interface IntakeContext extends AttemptsContext {
  /** Whose reactions these are. */
  readonly service: string;
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly handlers: Handlers;
  readonly parking: Parking;
  readonly counters: AttemptsContext['counters'] & {
    handled: number;
    gapsRepaired: number;
    eventsRecovered: number;
  };
  /** A home was parked, or where it is parked was moved back. */
  readonly parked: (homeId: string) => void;
  /** Stops the reactions: going on would break a promise. */
  readonly fatal: (error: unknown) => void;
}

export class Intake {
  /** Something to write into the checkpoint has happened since it was last unset. */
  moved = false;
  readonly work: Work;
  readonly #context: IntakeContext;
  readonly #partitions: (PartitionMarks | undefined)[] = new Array<undefined>(PARTITIONS).fill(
    undefined,
  );

  constructor(context: IntakeContext) {
    this.#context = context;
    this.work = new Work(
      context.slots,
      (task) => this.#run(task),
      (task, outcome) => this.#settled(task, outcome),
    );
  }

  assign(partition: number, mark: Mark): void {
    this.#partitions[partition] = new PartitionMarks(mark);
  }

  revoke(partition: number): void {
    const marks = this.#partitions[partition];
    this.#partitions[partition] = undefined;
    if (marks !== undefined) {
      marks.revoked = true;
      marks.look();
    }
    this.#context.parking.forget(partition);
  }

  /** Begins a partition anew at the mark that another instance has written. */
  restart(partition: number, mark: Mark): void {
    this.revoke(partition);
    const marks = new PartitionMarks(mark);
    marks.restarted = true;
    this.#partitions[partition] = marks;
  }

  /** A partition's marks, while it is assigned. */
  marks(partition: number): PartitionMarks | undefined {
    return this.#partitions[partition];
  }

  /** Events accepted and not done. */
  get unfinished(): number {
    return this.#partitions.reduce((sum, marks) => sum + (marks?.unfinished ?? 0), 0);
  }

  /** The bus's `deliver`: resolves at once unless something is missing or too much is under way. */
  deliver(partition: number, messages: readonly BusMessage[]): Promise<void> {
    const marks = this.#partitions[partition];
    if (marks === undefined || this.#context.stopping.aborted) return TAKEN;
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i];
      if (message === undefined) break;
      if (isMissing(message.prev, marks.seen)) return this.#recover(partition, marks, messages, i);
      this.#take(partition, marks, message);
    }
    return marks.unfinished > UNDER_WAY ? this.#room(marks) : TAKEN;
  }

  /** What was taken away while it waited in its queue is another instance's to do. */
  async #run(task: Task): Promise<Outcome> {
    if (task.marks.revoked) return { kind: 'abandoned' };
    const { reaction, event, delivery } = task;
    return this.attempt(reaction, event, () => this.#wanted(task), delivery);
  }

  /** Runs one reaction to its end, counting. */
  attempt(
    reaction: Reaction,
    event: Recorded,
    wanted: () => boolean,
    delivery?: Spanned,
  ): Promise<Outcome> {
    if (!isTracing()) return attempt(this.#context, reaction, event, wanted);
    const spec = {
      name: `react ${reaction.name}`,
      kind: 'consumer' as const,
      attributes: { 'bivouac.reaction': reaction.name, ...factsOf(event) },
      correlationId: event.correlationid,
      parent: delivery?.context ?? appendOf(event),
    };
    return inSpan(spec, async (span) => {
      const outcome = await attempt(this.#context, reaction, event, wanted);
      span.note({ 'bivouac.outcome': outcome.kind });
      if (outcome.kind === 'failed') span.failed('handler-failed');
      return outcome;
    });
  }

  /** Parks a home at an event; its queued events from there on wait with it. */
  park(
    event: ParkedEvent,
    partition: number,
    reaction: string | null,
    reason: ParkingReason,
    error: unknown,
  ): void {
    const { parking, logger, clock, fatal } = this.#context;
    const since = instantOf(clock.now());
    if (!parking.park(event, partition, { reaction, reason, since })) return;
    this.moved = true;
    logger.error(
      { err: error, home: event.homeid, eventId: event.id, type: event.type, reaction, reason },
      'a home is parked: its events wait until staff replay it or skip the event',
    );
    const parked = parking.get(event.homeid);
    if (parked !== undefined) parked.passed = later(parked.passed, event.position);
    for (const task of this.work.drop(event.homeid, event.position)) {
      if (parked !== undefined) parked.passed = later(parked.passed, task.entry.position);
      this.#finish(task);
    }
    if (parking.size > MAX_PARKED) {
      fatal(
        new RuntimeError(
          'defect',
          `more than ${MAX_PARKED} homes are parked: this is a defect of the release or of what it ` +
            'depends on, not of so many homes; correct it and start again',
        ),
      );
    }
    this.#context.parked(event.homeid);
  }

  #take(partition: number, marks: PartitionMarks, message: BusMessage): void {
    if (message.kind === 'event')
      this.#accept(partition, marks, message.event, message.traceparent);
    else if (message.head !== null && isMissing(message.head, marks.seen)) marks.pass(message.head);
  }

  #accept(
    partition: number,
    marks: PartitionMarks,
    event: StoredEvent,
    traceparent?: string,
  ): void {
    const { handlers, parking } = this.#context;
    const { position } = event;
    if (!isMissing(position, marks.seen)) return;
    this.moved = true;
    if (!handlers.handles(event.type)) {
      marks.pass(position);
      return;
    }
    const parked = parking.size === 0 ? undefined : parking.holds(event.homeid, position);
    if (parked !== undefined) {
      parked.passed = position;
      marks.pass(position);
      return;
    }
    const tasks = this.#tasks(partition, event);
    if (tasks.length === 0) {
      marks.pass(position);
      return;
    }
    const entry: Entry = marks.begin(position, tasks.length);
    const delivery = isTracing() ? this.#delivered(event, partition, traceparent) : undefined;
    for (const { target, reaction, recorded } of tasks) {
      this.work.add(target, { marks, entry, event: recorded, reaction, delivery });
    }
  }

  /** Below the relay's span where the message names it, else below that of the append. */
  #delivered(event: StoredEvent, partition: number, traceparent: string | undefined): Spanned {
    return startSpan({
      name: `bus ${event.type}`,
      kind: 'consumer',
      attributes: {
        'bivouac.service': this.#context.service,
        'messaging.destination.partition.id': String(partition),
        ...factsOf(event),
      },
      correlationId: event.correlationid,
      parent: spanNamed(traceparent) ?? appendOf(event),
    });
  }

  /** What an event fires; nothing where it cannot be read, and its home is parked. */
  #tasks(partition: number, event: StoredEvent): FiredReaction[] {
    const { handlers } = this.#context;
    let failing: Reaction | undefined;
    try {
      const recorded = this.decode(event);
      const fired: FiredReaction[] = [];
      for (const reaction of handlers.of(event)) {
        failing = reaction;
        const target = reaction.target(recorded);
        if (target !== undefined) fired.push({ target, reaction, recorded });
      }
      return fired;
    } catch (error) {
      const reason = error instanceof EventDecodeError ? error.reason : 'handler-failed';
      this.park(event, partition, failing?.name ?? null, reason, error);
      return [];
    }
  }

  /** An event in its current version. */
  decode(event: StoredEvent): Recorded {
    const recorded = this.#context.registry.decode(event);
    if (recorded === undefined) throw new RuntimeError('defect', `${event.type} is not declared`);
    return recorded;
  }

  #wanted({ marks, event }: Task): boolean {
    return (
      !marks.revoked && this.#context.parking.holds(event.homeid, event.position) === undefined
    );
  }

  #settled(task: Task, outcome: Outcome): void {
    if (task.marks.revoked) {
      task.delivery?.end();
      return;
    }
    if (outcome.kind === 'done') {
      this.#context.counters.handled++;
    } else if (outcome.kind === 'failed') {
      const { event, reaction } = task;
      const partition = this.#partitions.indexOf(task.marks);
      this.park(event, partition, reaction.name, 'handler-failed', outcome.error);
    } else if (this.#wanted(task)) {
      // Stopping: it is not done, and the mark stays before it.
      task.delivery?.end();
      return;
    }
    this.#finish(task);
  }

  #finish({ marks, entry, delivery }: Task): void {
    if (marks.finish(entry)) this.moved = true;
    if (entry.pending === 0) delivery?.end();
  }

  /** Messages of which one says that others were lost: those are read from the store first. */
  async #recover(
    partition: number,
    marks: PartitionMarks,
    messages: readonly BusMessage[],
    from: number,
  ): Promise<void> {
    const { counters, logger, stopping } = this.#context;
    for (const message of messages.slice(from)) {
      if (stopping.aborted || marks.revoked) return;
      const { prev } = message;
      const { seen } = marks;
      if (prev !== null && isMissing(prev, seen)) {
        const { restarted } = marks;
        marks.restarted = false;
        let found = 0;
        for await (const event of readMissing(this.#context, partition, seen, prev)) {
          if (stopping.aborted || marks.revoked) return;
          found++;
          this.#accept(partition, marks, event);
          if (marks.unfinished > UNDER_WAY) await this.#room(marks);
        }
        if (!restarted) {
          counters.gapsRepaired++;
          counters.eventsRecovered += found;
          logger.warn(
            { partition, after: seen, upTo: prev, found },
            'the bus lost events; they were read from the store',
          );
        }
      }
      this.#take(partition, marks, message);
    }
    if (marks.unfinished > UNDER_WAY) await this.#room(marks);
  }

  #room(marks: PartitionMarks): Promise<void> {
    return marks.when(
      () => marks.unfinished <= UNDER_WAY / 2 || marks.revoked || this.#context.stopping.aborted,
    );
  }
}

interface FiredReaction {
  readonly target: string;
  readonly reaction: Reaction;
  readonly recorded: Recorded;
}

function factsOf({ id, type, position, homeid }: StoredEvent | Recorded) {
  return {
    'bivouac.event.id': id,
    'bivouac.event.type': type,
    'bivouac.position': position,
    'bivouac.home': homeid,
  };
}

function later(a: Position | undefined, b: Position): Position {
  return a === undefined || a < b ? b : a;
}

/** Whether a position lies beyond what was seen. */
function isMissing(position: Position | null, seen: Mark): boolean {
  return position !== null && (seen === null || position > seen);
}
