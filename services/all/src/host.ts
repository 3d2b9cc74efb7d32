/** The composition as other packages use it: an embedded installation, its server, the demos. */
export type { Outcome } from './cli/outcome.ts';
export { run as runCommandLine } from './cli/run.ts';
export { inspect } from './demo/month/inspect.ts';
export { type MonthReport, runMonth } from './demo/month/run.ts';
export { fullMonth, smallMonth } from './demo/month/settings.ts';
export { runDemo } from './demo/run.ts';
export { type DemoReport, operationEnd, play, START } from './demo/scenario.ts';
export {
  embedded,
  type EmbeddedInstallation,
  type EmbeddedOptions,
  startEmbedded,
} from './embedded.ts';
export type { Installation, InstallationKind, StartOptions } from './installation.ts';
export { LOCATION } from './nodes.ts';
export { type Build, sources } from './processes/build.ts';
export { type ProcessesKind, processes } from './processes/kind.ts';
export { Members } from './processes/members.ts';
export { RoleSchema } from './processes/messages.ts';
export type { ProcessesInstallation } from './processes/set.ts';
export { newKey, seed, type Seeded } from './seed/seed.ts';
export { allServices } from './services.ts';
