/** What the settings say to a process that is one of several. */
import { readFile } from 'node:fs/promises';

import {
  callServices,
  openIdentity,
  openTrustedCallers,
  type RemoteServices,
  type TrustedCallers,
} from '../calls/index.ts';
import {
  type Config,
  ConfigError,
  type Logger,
  type Metrics,
  RuntimeError,
  systemClock,
} from '../runtime/index.ts';

/**
 * Throws a ConfigError where the settings are of an installation in one process: its log and its bus
 * have no room for a second. With it goes what else is known to be wrong, so that all of it is said.
 */
export function checkShared(
  config: Pick<Config, 'EVENT_STORE_URL' | 'BUS_URL'>,
  others: readonly string[] = [],
): void {
  const problems: string[] = [];
  if (!config.EVENT_STORE_URL.startsWith('esdb'))
    problems.push(
      'EVENT_STORE_URL: processes of their own share an EventStoreDB: expected esdb://host:port (infra/dev/up eventstore starts one for development)',
    );
  if (!config.BUS_URL.startsWith('kafka:'))
    problems.push(
      'BUS_URL: processes of their own share Kafka: expected kafka://host:port (infra/dev/up kafka starts one for development)',
    );
  problems.push(...others);
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Where services listen on one machine unless they are told otherwise. */
export const servicePorts: Readonly<Record<string, number>> = {
  accounts: 4201,
  containers: 4202,
  quotas: 4203,
  packages: 4204,
  billing: 4205,
  provisioning: 4206,
  audit: 4207,
};

/** What is wrong for who calls services: without an identity nobody answers, and no service is left out. */
export function callerProblems({
  SERVICE_URLS,
  IDENTITY_FILE,
}: Pick<Config, 'SERVICE_URLS' | 'IDENTITY_FILE'>): readonly string[] {
  const problems = Object.keys(servicePorts)
    .filter((name) => SERVICE_URLS.size > 0 && !SERVICE_URLS.has(name))
    .map((name) => `SERVICE_URLS: it does not say where ${name} is`);
  if (IDENTITY_FILE === undefined) problems.push(NO_IDENTITY);
  return problems;
}

const NO_IDENTITY =
  'IDENTITY_FILE: services answer only whom they trust: name the file of this caller’s identity (npm run bivouac -- identity new)';

/**
 * The services as a caller of them is told where they are: all of them on this machine where
 * SERVICE_URLS says nothing.
 *
 * @throws ConfigError for {@link callerProblems}
 */
export async function callerOf(
  config: Pick<Config, 'SERVICE_URLS' | 'SERVICES_CA' | 'IDENTITY_FILE'>,
  logger: Logger,
  metrics?: Metrics,
): Promise<RemoteServices> {
  const { SERVICE_URLS: given, IDENTITY_FILE: identityFile, SERVICES_CA: caFile } = config;
  const problems = callerProblems(config);
  if (identityFile === undefined || problems.length > 0) throw new ConfigError(problems);
  return callServices({
    services: given.size > 0 ? given : onThisMachine(),
    identity: await openIdentity(identityFile),
    // Whatever time is told inside, connections and deadlines go by the machine's.
    clock: systemClock,
    logger,
    ...(metrics !== undefined && { metrics }),
    ...(caFile !== undefined && { ca: await pem('SERVICES_CA', caFile) }),
  });
}

function onThisMachine(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.entries(servicePorts).map(([name, port]) => [name, [`http://127.0.0.1:${port}`]]),
  );
}

/** What is wrong for a service: it answers only whom it trusts. */
export function trustProblems({
  TRUSTED_CALLERS_FILE,
}: Pick<Config, 'TRUSTED_CALLERS_FILE'>): readonly string[] {
  return TRUSTED_CALLERS_FILE === undefined ? [NO_TRUST] : [];
}

const NO_TRUST =
  'TRUSTED_CALLERS_FILE: a service answers only whom it trusts: name the file of callers (npm run bivouac -- identity new writes it)';

/** The callers that a service answers. Throws a ConfigError where none are named. */
export async function trustedBy(
  config: Pick<Config, 'TRUSTED_CALLERS_FILE'>,
): Promise<TrustedCallers> {
  if (config.TRUSTED_CALLERS_FILE === undefined) throw new ConfigError([NO_TRUST]);
  return openTrustedCallers(config.TRUSTED_CALLERS_FILE);
}

/** The PEM texts that callers are shown; undefined without. */
export async function tlsOf(
  config: Pick<Config, 'SERVICE_TLS_CERT' | 'SERVICE_TLS_KEY'>,
): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  const { SERVICE_TLS_CERT: cert, SERVICE_TLS_KEY: key } = config;
  if (cert === undefined || key === undefined) return undefined;
  return {
    cert: await pem('SERVICE_TLS_CERT', cert),
    key: await pem('SERVICE_TLS_KEY', key),
  };
}

async function pem(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new RuntimeError(
      'misconfigured',
      `${setting}: ${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)}); name a readable PEM file.`,
      { cause },
    );
  }
}
