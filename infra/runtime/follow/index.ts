export { asOfPosition, type AsOf, AsOfError, viewAsOf } from './as-of.ts';
export { FollowerError, type FailedEvent } from './failure.ts';
export { type Follower, type FollowerOptions, startFollower } from './follower.ts';
export { logReading } from './log-reading.ts';
export { queryHost, type QueryHost, type QueryHostOptions } from './queries.ts';
export { tablesOf, viewSchemaOf } from './slice.ts';
export { startTimers, type Timers, type TimersOptions } from './timers.ts';
