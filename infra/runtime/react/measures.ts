/** What is counted of a reaction's events: done, tried again, or one that parks its home. */
import type { Counter, Metrics } from '../metrics/port.ts';
import type { Reaction } from './reaction.ts';

export interface PolicyMeasures {
  readonly done: Counter;
  /** It failed, and is tried again. */
  readonly again: Counter;
  readonly parked: Counter;
}

/** The counters of each reaction, there from the start. */
export function policyMeasures(
  metrics: Metrics,
  reactions: readonly Reaction[],
): (reaction: Reaction) => PolicyMeasures {
  const of = ({ name: policy }: Reaction): PolicyMeasures => ({
    done: metrics.counter('policy_events_total', { policy, outcome: 'done' }),
    again: metrics.counter('policy_events_total', { policy, outcome: 'again' }),
    parked: metrics.counter('policy_events_total', { policy, outcome: 'parked' }),
  });
  const known = new Map(reactions.map((reaction) => [reaction, of(reaction)]));
  return (reaction) => known.get(reaction) ?? of(reaction);
}
