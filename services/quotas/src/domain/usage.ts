/**
 * One hour of what a tree's containers used. A part is taken once: the same again changes nothing,
 * and no second figure for it is believed.
 */
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  refuse,
} from '@bivouac/events/language';
import {
  UsageAmended,
  type usageEvents,
  UsageHourClosed,
  UsageRolledUp,
} from '@bivouac/events/quotas';
import type { UsageEntry } from '@bivouac/events/node';
import { plusSeconds } from '@bivouac/events/values';

const HOUR_SECONDS = 3600;
/** How long after its end an hour waits for nodes that have not reported, in seconds. */
const GRACE_SECONDS = 2 * HOUR_SECONDS;

/** How far a node's clock may be ahead of ours, in seconds. */
const SKEW_SECONDS = 600;

export interface UsageState {
  /** By `<meter>/<part>`: the digest of the samples it was made of. */
  readonly parts: Map<string, string>;
  /** Nodes that have reported, and those that were known to have something to report. */
  readonly reported: Set<string>;
  readonly concerned: Set<string>;
  closed: boolean;
}

export function noUsage(): UsageState {
  return { parts: new Map(), reported: new Set(), concerned: new Set(), closed: false };
}

/** The stream of a home's hour. */
export function usageStream(homeId: string, hour: string): string {
  return `usage-${homeId}-${hour.slice(0, 13).replaceAll(/\D/g, '')}`;
}

/** When an hour is closed, whoever has not reported. */
export function closesAt(hour: string): string {
  return plusSeconds(hour, HOUR_SECONDS + GRACE_SECONDS);
}

export function evolveUsage(
  state: UsageState,
  event: EventOf<(typeof usageEvents)[number]>,
): UsageState {
  if (is(event, UsageHourClosed)) state.closed = true;
  else {
    const { meterId, part, samplesDigest, nodeId, concerned } = event.data;
    state.parts.set(`${meterId}/${part}`, samplesDigest);
    state.reported.add(nodeId);
    for (const one of concerned ?? []) state.concerned.add(one);
  }
  return state;
}

/** Records what a node's agent reports of the hour. Refused: USAGE_EARLY, USAGE_DIFFERS. */
export function recordUsage(
  state: UsageState,
  input: {
    readonly homeId: string;
    readonly hour: string;
    readonly nodeId: string;
    readonly meterId: string;
    readonly part: number;
    readonly samples: number;
    readonly samplesDigest: string;
    readonly entries: (UsageEntry & { readonly tenantId: string })[];
    /** Whether the node has nothing more to say of this hour. */
    readonly complete: boolean;
    /** Nodes with containers of the tree; null where there are too many to look at. */
    readonly concerned: string[] | null;
  },
  { now }: Pick<DecideContext, 'now'>,
): Decision {
  const { complete, ...rolledUp } = input;
  const { homeId, hour, nodeId, meterId, part, entries, concerned } = rolledUp;
  if (now < plusSeconds(hour, HOUR_SECONDS - SKEW_SECONDS)) {
    return refuse(
      'USAGE_EARLY',
      `The hour from ${hour} is not over; set the clock of node ${nodeId} right.`,
    );
  }
  const known = state.parts.get(`${meterId}/${part}`);
  if (known !== undefined && known !== rolledUp.samplesDigest) {
    return refuse(
      'USAGE_DIFFERS',
      `Node ${nodeId} reported the hour from ${hour} before, from other samples; the first report stands.`,
    );
  }
  const recorded: Decided[] =
    known !== undefined || entries.length === 0
      ? []
      : [(state.closed ? UsageAmended : UsageRolledUp)(rolledUp)];
  if (state.closed || !complete || concerned === null) return accept(...recorded);
  const reported = new Set([...state.reported, nodeId]);
  const waitedFor = [...state.concerned, ...concerned];
  if (!waitedFor.every((one) => reported.has(one))) return accept(...recorded);
  // An hour that nobody used anything in has no stream.
  if (recorded.length === 0 && state.parts.size === 0) return accept();
  return accept(
    ...recorded,
    UsageHourClosed({ homeId, hour, reported: [...reported].sort(), missing: [] }),
  );
}

/** Closes an hour whose time is over. Refused: USAGE_HOUR_NOT_OVER. */
export function closeUsageHour(
  state: UsageState,
  input: { readonly homeId: string; readonly hour: string },
  { now }: Pick<DecideContext, 'now'>,
): Decision {
  if (state.closed || state.parts.size === 0) return accept();
  const { homeId, hour } = input;
  if (now < closesAt(hour)) {
    return refuse('USAGE_HOUR_NOT_OVER', `The hour from ${hour} is closed at ${closesAt(hour)}.`);
  }
  const missing = [...state.concerned].filter((one) => !state.reported.has(one)).sort();
  return accept(UsageHourClosed({ homeId, hour, reported: [...state.reported].sort(), missing }));
}
