/**
 * When something needs a person: the one place of these numbers. The alert rules of infra/deploy/prometheus
 * are checked against it, and `bivouac status` judges by it, so that neither can say what the other denies.
 */

/** How soon somebody has to look. `page`: now, also at night. `ticket`: on the next working day. */
export type Severity = 'page' | 'ticket';

/** A limit on what is measured, and where it is written what to do beyond it. */
export interface Threshold {
  /** What is wrong beyond it, as a sentence without its full stop. */
  readonly says: string;
  /** The largest value at which all is well, in `unit`; whatever is above needs a person. */
  readonly most: number;
  readonly unit: 'events' | 'seconds' | 'homes' | 'operations' | 'processes' | 'timers' | 'of 1';
  /**
   * Seconds that it has to last before an alert fires: what passes by itself is nobody's business. A look
   * at one moment (`bivouac status`) cannot wait, and says at once what is above.
   */
  readonly forSeconds: number;
  readonly severity: Severity;
  /** Seconds over which a counter's rise, or a share, is judged; 0 for what is judged as it stands. */
  readonly within: number;
  /** What to do first, as a sentence without its full stop; the section of the runbook has the rest. */
  readonly remedy: string;
  /** The section of docs/runbook.md, as the part of a link behind `#`: the alert's name in small letters. */
  readonly section: string;
}

function threshold(
  name: string,
  {
    severity = 'ticket',
    within = 0,
    ...rest
  }: Omit<Threshold, 'section' | 'severity' | 'within'> &
    Partial<Pick<Threshold, 'severity' | 'within'>>,
): Threshold {
  return { ...rest, severity, within, section: name.toLowerCase() };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Every threshold by the name of its alert. */
export const thresholds = {
  /** A process that should be there does not answer, or is not ready. */
  ProcessDown: threshold('ProcessDown', {
    says: 'a process does not answer or is not ready',
    remedy: 'start it again; where the end of its log names a reason, mend that first',
    ...{ most: 0, unit: 'processes', forSeconds: 2 * MINUTE, severity: 'page' },
  }),
  /** A read model is behind the log: events of its slice that it has not applied. */
  FollowerLag: threshold('FollowerLag', {
    says: 'a read model is behind the log',
    remedy: 'wait while it gets on, or add a replica; restart one that stands still',
    ...{ most: 1000, unit: 'events', forSeconds: 5 * MINUTE },
  }),
  /** Age of the oldest event that a read model has not applied: few may wait for long. */
  FollowerWaits: threshold('FollowerWaits', {
    says: 'a read model does not get on: answers are old',
    remedy: 'mend the event store or the way to it, which the log of the process names',
    ...{ most: 2 * MINUTE, unit: 'seconds', forSeconds: 2 * MINUTE },
  }),
  /** Reactions are behind what was published. */
  PolicyLag: threshold('PolicyLag', {
    says: 'reactions are behind the bus',
    remedy: 'start another replica of the service; wait where its events are done one by one',
    ...{ most: 1000, unit: 'events', forSeconds: 5 * MINUTE },
  }),
  /** Age of the oldest event of its types that a policy has not done. */
  PolicyWaits: threshold('PolicyWaits', {
    says: 'reactions do not get on: orders are accepted and wait',
    remedy: 'start the relay or the service that is away; mend what the log of the service names',
    ...{ most: 2 * MINUTE, unit: 'seconds', forSeconds: MINUTE, severity: 'page' },
  }),
  /** Age of the oldest event that is in the log and not on the bus. */
  RelayBehind: threshold('RelayBehind', {
    says: 'the log is not published to the bus: orders are accepted and wait',
    remedy: 'mend the brokers, which the log of the relay names; restart a relay that says nothing',
    ...{ most: 30, unit: 'seconds', forSeconds: MINUTE, severity: 'page' },
  }),
  /** Homes whose events wait in a service because it could not handle one of them. */
  HomeParked: threshold('HomeParked', {
    says: 'homes are parked: their events wait for a person',
    remedy: 'see parkedHomes and the log of the service; mend the cause, then replay or skip',
    ...{ most: 0, unit: 'homes', forSeconds: MINUTE },
  }),
  /** Operations that ended in needs-attention. */
  OperationNeedsAttention: threshold('OperationNeedsAttention', {
    says: 'operations wait for staff',
    remedy: 'see its steps and error; then retry, resolve or release it',
    ...{ most: 0, unit: 'operations', forSeconds: 0 },
  }),
  /** Age of the oldest operation that is still running, undoing or closing: each step has a deadline of minutes. */
  OperationStuck: threshold('OperationStuck', {
    says: 'an operation has not ended',
    remedy: 'see which step was asked of whom and mend that; then retry, resolve or release it',
    ...{ most: 2 * HOUR, unit: 'seconds', forSeconds: 5 * MINUTE },
  }),
  /** How late the oldest due timer is. */
  TimersLate: threshold('TimersLate', {
    says: 'timers are late: deadlines pass unnoticed',
    remedy: 'mend what the log of the service says of the timer, or of the reactions it waits for',
    ...{ most: 5 * MINUTE, unit: 'seconds', forSeconds: 2 * MINUTE },
  }),
  /** Time since a node's agent was last heard. */
  NodeSilent: threshold('NodeSilent', {
    says: 'a node is silent: nothing can be built or changed on it',
    remedy: 'start the agent on the node; drain a node that is gone for good',
    ...{ most: 2 * MINUTE, unit: 'seconds', forSeconds: MINUTE, severity: 'page' },
  }),
  /** Time since the last backup of the log was made; endless where none ever was. */
  BackupOld: threshold('BackupOld', {
    says: 'the last backup of the log is old',
    remedy:
      'make one with `npm run bivouac -- log backup --to <folder>`, and see why the last did not come',
    ...{ most: 26 * HOUR, unit: 'seconds', forSeconds: 10 * MINUTE },
  }),
  /** Releases that run at once, beyond the one: for as long as a rollout takes it is as it must be. */
  ReleaseSkew: threshold('ReleaseSkew', {
    says: 'processes are of different releases',
    remedy: 'go on with the rollout, or go back',
    ...{ most: 1, unit: 'processes', forSeconds: 2 * HOUR },
  }),
  /** Event types that one process writes in a version which another does not read. */
  EventVersionSkew: threshold('EventVersionSkew', {
    says: 'an event is written in a version that a process does not read',
    remedy: 'lower EVENT_VERSIONS to what every replica reads, then roll the older replicas',
    ...{ most: 0, unit: 'events', forSeconds: 0, severity: 'page' },
  }),
  /** Appends within five minutes of which the log did not say what became of them. */
  UnknownOutcomes: threshold('UnknownOutcomes', {
    says: 'the log did not say what became of appends',
    remedy: 'nothing where it was once; repeated, mend the event store or the network to it',
    within: 5 * MINUTE,
    ...{ most: 0, unit: 'events', forSeconds: 0 },
  }),
  /** Streams whose commands wait because nobody knows what became of an append. */
  StreamFrozen: threshold('StreamFrozen', {
    says: 'commands of a stream wait: the log does not say what became of an append',
    remedy: 'mend the event store: the append is sent again by itself until its outcome is known',
    ...{ most: 0, unit: 'events', forSeconds: MINUTE, severity: 'page' },
  }),
  /** Gaps of the bus within fifteen minutes that were closed from the log. */
  BusGaps: threshold('BusGaps', {
    says: 'the bus lost events; they were read from the log',
    remedy:
      'nothing is lost; raise the retention of the topic, or mend the broker that lost its disk',
    within: 15 * MINUTE,
    ...{ most: 0, unit: 'events', forSeconds: 0 },
  }),
  /** Share of appends within five minutes that gave up because others wrote to the same streams. */
  Contention: threshold('Contention', {
    says: 'too many commands give up because others write to the same stream',
    remedy: 'see that SERVICE_URLS names each replica once; else spread the load over more streams',
    within: 5 * MINUTE,
    ...{ most: 0.01, unit: 'of 1', forSeconds: 10 * MINUTE },
  }),
  /** The 99th percentile of the event loop's delay. */
  EventLoopDelay: threshold('EventLoopDelay', {
    says: 'a process is too busy to answer in time',
    remedy: 'give the process more CPU, or add a replica',
    within: 5 * MINUTE,
    ...{ most: 0.5, unit: 'seconds', forSeconds: 5 * MINUTE },
  }),
  /** Looks that failed within five minutes: what they measure is of an earlier scrape. */
  NotMeasured: threshold('NotMeasured', {
    says: 'a process cannot look up what it should measure',
    remedy:
      'mend what the log of the process names, mostly the event store; trust no lag meanwhile',
    within: 5 * MINUTE,
    ...{ most: 2, unit: 'events', forSeconds: 5 * MINUTE },
  }),
  /** By how much the clocks of processes differ: half of the shortest deadline that one sets for another. */
  ClocksApart: threshold('ClocksApart', {
    says: 'the clocks of processes differ: deadlines are taken for over, or for far away',
    remedy: 'set the clocks of their machines by NTP; stop the process that is wrong meanwhile',
    ...{ most: 30, unit: 'seconds', forSeconds: MINUTE, severity: 'page' },
  }),
  /** Outages of the cache within five minutes. */
  CacheAway: threshold('CacheAway', {
    says: 'the cache is away: each process limits by itself',
    remedy: 'mend the Redis of CACHE_URL; it is used again by itself',
    within: 5 * MINUTE,
    ...{ most: 0, unit: 'events', forSeconds: 5 * MINUTE },
  }),
} as const satisfies Readonly<Record<string, Threshold>>;

/** The name of an alert and of its threshold. */
export type ThresholdName = keyof typeof thresholds;
