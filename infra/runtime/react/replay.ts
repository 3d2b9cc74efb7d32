/**
 * Replaying a parked home for staff: what waits is read from the store and handled in log order,
 * then the home flows again, without an event lost or overtaken in between.
 */
import {
  EventDecodeError,
  type Recorded,
  refuse,
  type StoredEvent,
} from '@bivouac/events/language';
import { instantOf } from '@bivouac/events/values';

import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { pause } from './attempts.ts';
import type { Handlers } from './handlers.ts';
import type { Intake } from './intake.ts';
import type { PartitionMarks } from './marks.ts';
import { before, type Parked, type Parking } from './parking.ts';
import type { Reaction, ReplayOutcome } from './reaction.ts';
import type { Slots } from './slots.ts';

/** Events read at once. */
const PAGE = 200;

export interface ReplayContext {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly stopping: AbortSignal;
  readonly slots: Slots;
  readonly handlers: Handlers;
  readonly parking: Parking;
  readonly intake: Intake;
  readonly counters: { handled: number };
}

/**
 * Replays a home; with `skip`, without the event it is parked at, which must be that one.
 */
export async function replayHome(
  context: ReplayContext,
  homeId: string,
  skip: string | undefined,
): Promise<ReplayOutcome> {
  const { parking, intake, stopping } = context;
  const parked = parking.get(homeId);
  const refusal = refusalOf(context, homeId, parked, skip);
  if (parked === undefined || refusal !== undefined) {
    return { outcome: 'refused', refusal: refusal ?? notParked(homeId) };
  }
  parked.replaying = true;
  try {
    const marks = intake.marks(parked.partition);
    const { from } = parked.home;
    // After a restart the partition may not have come to the event yet.
    await marks?.when(
      () => stopping.aborted || marks.revoked || (marks.seen !== null && marks.seen >= from),
    );
    // What is under way before the event must be done first, and may itself fail and park earlier.
    await intake.work.quiet(homeId);
    if (stopping.aborted) return stoppingRefusal();
    if (marks === undefined || marks.revoked) return movedRefusal(homeId);
    const changed = refusalOf(context, homeId, { ...parked, replaying: false }, skip);
    if (changed !== undefined) return { outcome: 'refused', refusal: changed };
    return await replay(context, parked, marks, skip);
  } finally {
    parked.replaying = false;
  }
}

async function replay(
  context: ReplayContext,
  parked: Parked,
  marks: PartitionMarks,
  skip: string | undefined,
): Promise<ReplayOutcome> {
  const { store, clock, random, stopping, parking, intake } = context;
  const { homeId } = parked.home;
  const wanted = (): boolean => !stopping.aborted && !marks.revoked;
  let cursor = before(parked.home.from);
  let handled = 0;
  for (let again = 0; wanted();) {
    const upTo = marks.seen ?? parked.home.from;
    const page = await store.readHome(homeId, {
      upTo,
      limit: PAGE,
      ...(cursor === undefined ? {} : { after: cursor }),
    });
    for (const event of page.events) {
      if (event.id !== skip) {
        const outcome = await handleAll(context, parked, event, wanted);
        if (outcome === 'abandoned') break;
        if (outcome === 'failed') return { outcome: 'parked', handled, at: parked.home };
        handled += outcome;
      }
      cursor = event.position;
    }
    // Taken away meanwhile, it is another instance's, and may be parked here again by a later one.
    if (!wanted()) break;
    if (!page.end) continue;
    const { passed } = parked;
    if (passed === undefined || (cursor !== undefined && cursor >= passed)) {
      // No turn of the loop lies between this look and the release: nothing can be passed over.
      parking.release(homeId);
      intake.moved = true;
      marks.look();
      return { outcome: 'flowing', handled };
    }
    // Passed over, but not in the home's index yet: the store is a moment behind.
    if (page.events.length === 0) await clock.sleep(pause(again++, random), stopping);
  }
  return stopping.aborted ? stoppingRefusal() : movedRefusal(homeId);
}

/** All reactions to one event, one after the other. Answers how many there were. */
async function handleAll(
  context: ReplayContext,
  parked: Parked,
  event: StoredEvent,
  wanted: () => boolean,
): Promise<number | 'failed' | 'abandoned'> {
  const { handlers, intake, slots, counters, clock } = context;
  if (!handlers.handles(event.type)) return 0;
  let failing: string | null = null;
  const parkAt = (reason: 'handler-failed' | EventDecodeError['reason']): 'failed' => {
    parked.home = {
      homeId: event.homeid,
      from: event.position,
      eventId: event.id,
      type: event.type,
      reaction: failing,
      reason,
      since: instantOf(clock.now()),
    };
    intake.moved = true;
    return 'failed';
  };
  try {
    const recorded = intake.decode(event);
    let handled = 0;
    for (const reaction of handlers.of(event)) {
      failing = reaction.name;
      if (!concerns(reaction, recorded)) continue;
      await slots.take();
      if (!wanted()) {
        slots.give();
        return 'abandoned';
      }
      const outcome = await intake.attempt(reaction, recorded, wanted).finally(() => slots.give());
      if (outcome.kind === 'abandoned') return 'abandoned';
      if (outcome.kind === 'failed') return parkAt('handler-failed');
      counters.handled++;
      handled++;
    }
    return handled;
  } catch (error) {
    if (error instanceof EventDecodeError) return parkAt(error.reason);
    throw error;
  }
}

/** Here all run one after the other; a target that cannot be named must not keep an event from staff. */
function concerns(reaction: Reaction, event: Recorded): boolean {
  try {
    return reaction.target(event) !== undefined;
  } catch {
    return true;
  }
}

function refusalOf(
  { stopping }: ReplayContext,
  homeId: string,
  parked: Parked | undefined,
  skip: string | undefined,
) {
  if (stopping.aborted) return stoppingRefusal().refusal;
  if (parked === undefined) return notParked(homeId);
  if (parked.replaying) {
    return refuse('REPLAY_UNDER_WAY', `home ${homeId} is being replayed: wait for its outcome`)
      .refusal;
  }
  const { eventId } = parked.home;
  if (skip !== undefined && skip !== eventId) {
    const message = `home ${homeId} is parked at event ${eventId}, not ${skip}: look at it again`;
    return refuse('OTHER_EVENT', message, { details: { eventId } }).refusal;
  }
  return undefined;
}

function notParked(homeId: string) {
  return refuse('NOT_PARKED', `home ${homeId} is not parked: there is nothing to replay`).refusal;
}

function movedRefusal(homeId: string) {
  const message = `home ${homeId} has gone to another instance, which replays it by itself`;
  return {
    outcome: 'refused',
    refusal: refuse('MOVED', message, { retryable: true }).refusal,
  } as const;
}

function stoppingRefusal() {
  const message = 'the service is stopping: the home stays parked; replay it after the start';
  return {
    outcome: 'refused',
    refusal: refuse('STOPPING', message, { retryable: true }).refusal,
  } as const;
}
