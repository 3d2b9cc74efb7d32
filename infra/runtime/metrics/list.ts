/**
 * Every metric of the system: name, kind, help, labels. There are no others, so that a dashboard, an alert
 * and docs/metrics.md can be checked against this list.
 *
 * Labels are bounded by the code (services, contracts, policies, kinds, outcomes) or by the hardware
 * (`node`). No tenant, account, container or person is ever a label.
 */

interface Declared {
  /** One sentence with its unit. */
  readonly help: string;
  readonly labels: readonly string[];
}

export type MetricDeclaration =
  | (Declared & { readonly kind: 'counter' })
  | (Declared & { readonly kind: 'gauge' })
  | (Declared & {
      readonly kind: 'histogram';
      /** Upper bounds, in the unit of the metric. */
      readonly buckets: readonly number[];
    });

/** From a hit of a cache to what a person gives up on. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** By name; exported with the prefix `bivouac_`. */
export const metricList = {
  // --- the process ------------------------------------------------------------------------------
  build_info: {
    kind: 'gauge',
    help: 'Always 1: which part of the system this process is, and of which release.',
    labels: ['part', 'release'],
  },
  ready: {
    kind: 'gauge',
    help: '1 while calls should be sent to the process, else 0.',
    labels: [],
  },
  clock_seconds: {
    kind: 'gauge',
    help: 'The time by the clock that the process goes by, in seconds since 1970.',
    labels: [],
  },
  eventloop_delay_seconds: {
    kind: 'histogram',
    help: 'How much later than asked for a timer of the process fires, measured ten times a second.',
    labels: [],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  looks_failed_total: {
    kind: 'counter',
    help: 'Times that something could not be looked up for a scrape: its metrics are of an earlier one.',
    labels: ['look'],
  },
  recent: {
    kind: 'gauge',
    help: 'What a counter that an alert goes by has risen by within the window of that alert, for who looks once.',
    labels: ['counter', 'series'],
  },

  // --- the log ----------------------------------------------------------------------------------
  appends_total: {
    kind: 'counter',
    help: 'Appends to the log, by what became of them.',
    labels: ['outcome'],
  },
  append_seconds: {
    kind: 'histogram',
    help: 'How long the log took to make an append durable, in seconds; only those that were.',
    labels: [],
    buckets: SECONDS,
  },
  events_appended_total: {
    kind: 'counter',
    help: 'Events that this process has appended to the log.',
    labels: [],
  },

  // --- commands ---------------------------------------------------------------------------------
  commands_total: {
    kind: 'counter',
    help: 'Commands answered, by contract and outcome.',
    labels: ['contract', 'outcome'],
  },
  conflicts_total: {
    kind: 'counter',
    help: 'Appends that lost a race: their commands were decided again.',
    labels: ['category'],
  },
  contention_total: {
    kind: 'counter',
    help: 'Commands that gave up because their stream kept changing.',
    labels: ['category'],
  },
  unknown_outcomes_total: {
    kind: 'counter',
    help: 'Appends of commands of which the log did not say what became of them.',
    labels: ['category'],
  },
  frozen_streams: {
    kind: 'gauge',
    help: 'Streams whose commands wait because the outcome of an append is unknown.',
    labels: [],
  },

  // --- read models ------------------------------------------------------------------------------
  follower_lag_events: {
    kind: 'gauge',
    help: 'Events in the log that a read model has not applied; 5000 stands for more.',
    labels: ['follower'],
  },
  follower_lag_seconds: {
    kind: 'gauge',
    help: 'Age of the oldest event that a read model has not applied, in seconds; 0 where there is none.',
    labels: ['follower'],
  },
  follower_events_total: {
    kind: 'counter',
    help: 'Events of the log that a read model has gone past.',
    labels: ['follower'],
  },
  commits_total: {
    kind: 'counter',
    help: 'Commits of a read model with its checkpoint.',
    labels: ['service'],
  },

  // --- reactions --------------------------------------------------------------------------------
  policy_lag_events: {
    kind: 'gauge',
    help: 'Events of its types on partitions held here that a policy has not done; counted up to 5000 events behind.',
    labels: ['policy'],
  },
  policy_lag_seconds: {
    kind: 'gauge',
    help: 'Age of the oldest of those events, in seconds; 0 where there is none.',
    labels: ['policy'],
  },
  policy_events_total: {
    kind: 'counter',
    help: 'Events that a policy has done, has tried again, or was parked at.',
    labels: ['policy', 'outcome'],
  },
  partitions_held: {
    kind: 'gauge',
    help: 'Partitions of the bus whose events this process reacts to for a service; 64 over all its replicas.',
    labels: ['service'],
  },
  gaps_repaired_total: {
    kind: 'counter',
    help: 'Times the bus had lost events that were then read from the log.',
    labels: ['service'],
  },
  events_recovered_total: {
    kind: 'counter',
    help: 'Events that the bus had lost and the log had.',
    labels: ['service'],
  },
  parked_homes: {
    kind: 'gauge',
    help: 'Homes on partitions held here whose events wait for staff.',
    labels: ['service'],
  },
  checkpoints_total: {
    kind: 'counter',
    help: 'Checkpoints of reactions written to the log.',
    labels: ['service'],
  },
  timers_due: {
    kind: 'gauge',
    help: 'Timers of this process that are due and have not fired; 1000 stands for more.',
    labels: ['service'],
  },
  timers_late_seconds: {
    kind: 'gauge',
    help: 'How late the oldest of them is, in seconds; 0 where none is due.',
    labels: ['service'],
  },

  // --- the relay --------------------------------------------------------------------------------
  relay_age_seconds: {
    kind: 'gauge',
    help: 'Age of the oldest event that is in the log and not on the bus, in seconds; 0 where there is none.',
    labels: [],
  },
  relay_published_total: {
    kind: 'counter',
    help: 'Events that the bus has acknowledged.',
    labels: [],
  },
  relay_failures_total: {
    kind: 'counter',
    help: 'Batches that had to be sent to the bus again.',
    labels: [],
  },

  // --- operations and nodes ---------------------------------------------------------------------
  operations: {
    kind: 'gauge',
    help: 'Operations that have not ended, by kind and state; 10000 of a state stands for more.',
    labels: ['kind', 'state'],
  },
  operation_oldest_seconds: {
    kind: 'gauge',
    help: 'Age of the oldest of them, in seconds since it was ordered.',
    labels: ['kind', 'state'],
  },
  node_expected: {
    kind: 'gauge',
    help: '1 for each node that is enrolled and not drained, by the read model of containers.',
    labels: ['node'],
  },
  node_last_heard_seconds: {
    kind: 'gauge',
    help: 'Seconds since the agent of a node was last connected to this endpoint; 0 while it is.',
    labels: ['node'],
  },
  instructions_unanswered: {
    kind: 'gauge',
    help: 'Instructions that no node has answered yet; 10000 stands for more.',
    labels: [],
  },

  // --- calls and the gateway --------------------------------------------------------------------
  call_seconds: {
    kind: 'histogram',
    help: 'How long calls of a service took, repetitions included, in seconds, by outcome.',
    labels: ['service', 'outcome'],
    buckets: SECONDS,
  },
  graphql_requests_total: {
    kind: 'counter',
    help: 'GraphQL requests answered: done, or with errors of the caller or of ours.',
    labels: ['outcome'],
  },
  graphql_seconds: {
    kind: 'histogram',
    help: 'How long GraphQL requests took once they were read, in seconds.',
    labels: [],
    buckets: SECONDS,
  },
  subscriptions_open: {
    kind: 'gauge',
    help: 'GraphQL subscriptions that are open.',
    labels: [],
  },
  cache_outages_total: {
    kind: 'counter',
    help: 'Times the cache was found away; one that stays away counts once a minute.',
    labels: [],
  },

  // --- the agent as a process -------------------------------------------------------------------
  driver_calls_total: {
    kind: 'counter',
    help: 'Calls of a container engine by its agent, by what became of them.',
    labels: ['call', 'outcome'],
  },
  driver_call_seconds: {
    kind: 'histogram',
    help: 'How long calls of a container engine took, in seconds, whatever became of them.',
    labels: ['call'],
    buckets: [...SECONDS, 30, 60],
  },
  agent_instructions: {
    kind: 'gauge',
    help: 'Instructions that the agent has taken and not answered.',
    labels: [],
  },
  agent_last_contact_seconds: {
    kind: 'gauge',
    help: 'Seconds since the agent was last connected to its endpoint, or since it began; 0 while it is.',
    labels: [],
  },

  // --- versions and backup ----------------------------------------------------------------------
  event_version_written: {
    kind: 'gauge',
    help: 'Version in which this process writes an event.',
    labels: ['type'],
  },
  event_version_read: {
    kind: 'gauge',
    help: 'Newest version of an event that this process reads.',
    labels: ['type'],
  },
  last_backup_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the last backup of the log was made, in seconds since 1970; 0 where none is known of.',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricDeclaration>>;

type MetricList = typeof metricList;

/** A metric's name without its prefix. */
export type MetricName = keyof MetricList;

/** The names of one kind. */
export type NameOf<K extends MetricDeclaration['kind']> = {
  [N in MetricName]: MetricList[N]['kind'] extends K ? N : never;
}[MetricName];

/** A value for each label of a metric; nothing where it has none. */
export type LabelsOf<N extends MetricName> = Readonly<
  Record<MetricList[N]['labels'][number], string>
>;

/** What every name begins with where it is scraped. */
export const METRIC_PREFIX = 'bivouac_';
