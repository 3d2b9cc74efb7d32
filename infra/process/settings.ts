/** What the settings say to a process that is one of several. */
import { readFile } from 'node:fs/promises';

import { type Config, ConfigError, RuntimeError } from '../runtime/index.ts';

/**
 * Throws a ConfigError where the settings are of an installation in one process: its log and its bus
 * have no room for a second.
 */
export function checkShared(config: Pick<Config, 'EVENT_STORE_URL' | 'BUS_URL'>): void {
  const problems: string[] = [];
  if (!config.EVENT_STORE_URL.startsWith('esdb'))
    problems.push(
      'EVENT_STORE_URL: processes of their own share an EventStoreDB: expected esdb://host:port (infra/dev/up eventstore starts one for development)',
    );
  if (!config.BUS_URL.startsWith('kafka:'))
    problems.push(
      'BUS_URL: processes of their own share Kafka: expected kafka://host:port (infra/dev/up kafka starts one for development)',
    );
  if (problems.length > 0) throw new ConfigError(problems);
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
