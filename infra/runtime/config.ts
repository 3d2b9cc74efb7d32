/**
 * Configuration: the only place that reads the environment. Everything is checked at once and every
 * problem is printed with its remedy; `.env.example` is checked against this schema by a test.
 */
import { type EventDefinition, writtenVersionProblems } from '@bivouac/events/language';
import { z } from 'zod';

import { isEventStoreDbUrl, parseEventStoreDbUrl } from '../event-store/eventstoredb/url.ts';
import { parseKafkaUrl } from '../bus/kafka/url.ts';
import { isRedisUrl, parseRedisUrl } from '../cache/redis/url.ts';
import { agentProblems, agentSettings } from './agent-settings.ts';
import { EventVersionsSchema } from './event-versions.ts';
import { metricsSettings } from './metrics-settings.ts';
import { portProblems, portSettings } from './port-settings.ts';
import { serviceSettings } from './service-settings.ts';
import { tracingSettings } from './tracing-settings.ts';

const units = (otherwise: number) =>
  z.coerce
    .number({ error: 'expected a whole number from 1 to 1000000000' })
    .int()
    .min(1)
    .max(1_000_000_000)
    .default(otherwise);

/** Every setting, its meaning and its default. Units are in the names. */
export const ConfigSchema = z.object({
  /**
   * Where the log is: `sqlite:<folder>` (embedded, of one process), or `esdb://user:password@host:2113`
   * and `esdb+discover://…` (an EventStoreDB, which processes share). Unless set, embedded in DATA_DIR.
   */
  EVENT_STORE_URL: z
    .string()
    .superRefine((text, context) => {
      if (/^sqlite:./.test(text)) return;
      const settings = isEventStoreDbUrl(text)
        ? parseEventStoreDbUrl(text)
        : { problems: ['expected sqlite:<folder> or esdb://user:password@host:2113'] };
      if (!('problems' in settings)) return;
      for (const message of settings.problems) context.addIssue({ code: 'custom', message });
    })
    .default('sqlite:./data'),
  /** How reactions get the log: `embedded:` or `kafka://host:port[,host:port][?…]`. */
  BUS_URL: z
    .string()
    .superRefine((text, context) => {
      if (text === 'embedded:') return;
      const kafka = text.startsWith('kafka:');
      const settings = kafka
        ? parseKafkaUrl(text)
        : { problems: ['expected embedded: or kafka://host:port'] };
      if (!('problems' in settings)) return;
      for (const message of settings.problems) context.addIssue({ code: 'custom', message });
    })
    .default('embedded:'),
  /**
   * What processes share for speed: `memory:` (nothing, each has its own), or `redis://host:port` and
   * `rediss://…`.
   */
  CACHE_URL: z
    .string()
    .superRefine((text, context) => {
      if (text === 'memory:') return;
      const settings = isRedisUrl(text)
        ? parseRedisUrl(text)
        : { problems: ['expected memory: or redis://host:port'] };
      if (!('problems' in settings)) return;
      for (const message of settings.problems) context.addIssue({ code: 'custom', message });
    })
    .default('memory:'),
  /** Units of query cost that an account may use at once, see docs/graphql.md. */
  COST_CAPACITY: units(20_000),
  /** Units that an account gets back each second. */
  COST_PER_SECOND: units(1000),
  /** The same for the provider's staff. */
  STAFF_COST_CAPACITY: units(200_000),
  STAFF_COST_PER_SECOND: units(10_000),
  /** The nodes' engines, comma-separated; one agent each: `fake:` or `lxd+unix:` or `https://host:8443?…`. */
  NODE_URL: z.string().min(1).default('fake:'),
  ...agentSettings,
  ...serviceSettings,
  /** Folder of everything kept on this machine: the log where it is embedded, read models, keys, blobs. */
  DATA_DIR: z.string().min(1).default('./data'),
  ...portSettings,
  /** The file that says when the log was backed up last; `events.backup` beside an embedded log unless set. */
  BACKUP_RECORD_FILE: z.string().min(1).optional(),
  /** Address to listen on. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Port to listen on, 0 = any free one. */
  PORT: z.coerce
    .number({ error: 'expected a port number from 0 to 65535' })
    .int()
    .min(0)
    .max(65535)
    .default(4000),
  ...metricsSettings,
  /** `trace`, `debug`, `info`, `warn`, `error`, `silent`. */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** `on`: an empty installation gets a demo provider, customer, plans, image, node and pool. */
  DEMO_SEED: z.enum(['on', 'off']).default('on'),
  /** Versions of events to write instead of those the release writes by itself: `<type>=<version>,…`. */
  EVENT_VERSIONS: EventVersionsSchema.default(new Map()),
  /** What the provider of a new installation is called. */
  PROVIDER_NAME: z.string().min(1).max(200).default('Provider'),
  /** PEM files of what callers of a service's process are shown by TLS; plain HTTP without. */
  SERVICE_TLS_CERT: z.string().min(1).optional(),
  SERVICE_TLS_KEY: z.string().min(1).optional(),
  /** How long an orderly shutdown may take, in milliseconds. */
  SHUTDOWN_MS: z.coerce.number().int().min(100).max(600_000).default(10_000),
  ...tracingSettings,
});
export type Config = z.output<typeof ConfigSchema>;

/** Settings that do not fit; the message lists every problem. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

function tlsProblems({ SERVICE_TLS_CERT, SERVICE_TLS_KEY }: Config): readonly string[] {
  return (SERVICE_TLS_CERT === undefined) === (SERVICE_TLS_KEY === undefined)
    ? []
    : ['SERVICE_TLS_CERT and SERVICE_TLS_KEY: expected both or neither'];
}

/**
 * The configuration of this process. Throws a {@link ConfigError} that names every problem.
 *
 * @param events the event types of this release, for the settings that name some.
 * @param otherwise what is meant where the environment says nothing, and the schema's default is not.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  events?: Iterable<EventDefinition>,
  otherwise: Readonly<Record<string, string>> = {},
): Config {
  const given = Object.fromEntries(
    Object.keys(ConfigSchema.shape).flatMap((name) => {
      const value = environment[name] === '' ? undefined : environment[name];
      const said = value ?? otherwise[name];
      return said === undefined ? [] : [[name, said]];
    }),
  );
  // An embedded log lies where everything else of this machine does, unless it is said where.
  if (given['EVENT_STORE_URL'] === undefined && given['DATA_DIR'] !== undefined) {
    given['EVENT_STORE_URL'] = `sqlite:${given['DATA_DIR']}`;
  }
  const parsed = ConfigSchema.safeParse(given);
  const issues = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (parsed.success) {
    issues.push(
      ...agentProblems(parsed.data),
      ...portProblems(parsed.data),
      ...tlsProblems(parsed.data),
    );
  }
  const versions = ConfigSchema.shape.EVENT_VERSIONS.safeParse(given['EVENT_VERSIONS']);
  if (events !== undefined && versions.success) {
    for (const problem of writtenVersionProblems(events, versions.data))
      issues.push(`EVENT_VERSIONS: ${problem}`);
  }
  if (parsed.success && issues.length === 0) return parsed.data;
  throw new ConfigError(issues.map((issue) => `${issue} (see .env.example)`));
}
