/**
 * The Kafka client as it is set up here. kafkajs is loaded by this file alone, which is loaded only
 * where a `kafka://` URL is set; everything it throws is told apart here.
 */
import { readFile } from 'node:fs/promises';

import { type ISocketFactory, Kafka, logLevel, type SASLOptions } from 'kafkajs';

import { RuntimeError } from '../../runtime/errors.ts';
import { inFrames, plainSockets } from './frames.ts';
import { type KafkaSettings, parseKafkaUrl } from './url.ts';

/** As much of a pino logger as is used here. */
export interface KafkaLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ClientOptions {
  readonly settings: KafkaSettings;
  readonly logger: KafkaLogger;
  /** For tests: lets faults into the connections. */
  readonly socketFactory?: ISocketFactory;
}

/** Milliseconds a request may take before it counts as failed. */
const REQUEST_TIMEOUT = 20_000;

/** The settings in a URL. Throws a RuntimeError `misconfigured` with every problem. */
export function kafkaSettings(url: string): KafkaSettings {
  const settings = parseKafkaUrl(url);
  if ('problems' in settings) {
    throw new RuntimeError('misconfigured', `BUS_URL: ${settings.problems.join('; ')}`);
  }
  return settings;
}

/** A client; nothing is connected yet. Throws `misconfigured` for a file that cannot be read. */
export async function kafkaClient(options: ClientOptions): Promise<Kafka> {
  const { settings, logger, socketFactory = plainSockets } = options;
  const ca =
    settings.tls?.caFile === undefined ? undefined : await fileOf('ca', settings.tls.caFile);
  return new Kafka({
    clientId: 'bivouac',
    brokers: [...settings.brokers],
    ...(settings.tls && { ssl: ca === undefined ? true : { ca: [ca] } }),
    ...(settings.sasl && { sasl: await saslOptions(settings.sasl) }),
    socketFactory: inFrames(socketFactory),
    connectionTimeout: 5000,
    requestTimeout: REQUEST_TIMEOUT,
    // Few and short: whoever calls tries again by itself, with a new client where that is safer.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1000 },
    logLevel: logLevel.ERROR,
    // What the client calls an error is mostly a broker that is away for a moment, said many times;
    // whether it is one is decided, and said, by what uses it.
    logCreator: () => (entry) => {
      const { message, timestamp: _timestamp, logger: _name, ...fields } = entry.log;
      logger.debug({ kafka: entry.namespace, ...brief(fields) }, message);
    },
  });
}

async function saslOptions(sasl: NonNullable<KafkaSettings['sasl']>): Promise<SASLOptions> {
  const { mechanism, username, passwordFile } = sasl;
  const password = (await fileOf('passwordFile', passwordFile)).replace(/\r?\n$/, '');
  return { mechanism, username, password };
}

async function fileOf(parameter: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new RuntimeError(
      'misconfigured',
      `BUS_URL: ${parameter} names ${file}, which cannot be read (${messageOf(cause)})`,
      { cause },
    );
  }
}

/** Stacks of a client that retries fill disks. */
function brief(fields: Record<string, unknown>): Record<string, unknown> {
  const { stack: _stack, ...rest } = fields;
  return rest;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Codes of the protocol that no repetition mends. */
const HOPELESS = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'UNSUPPORTED_VERSION',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_CONFIG',
  'INVALID_REPLICATION_FACTOR',
]);

/** The protocol's code of an error or of what caused it, e.g. `UNKNOWN_TOPIC_OR_PARTITION`. */
export function codeOf(error: unknown): string | undefined {
  for (const each of causesOf(error)) {
    if ('type' in each && typeof each.type === 'string') return each.type;
  }
  return undefined;
}

/** Whether trying again cannot help: somebody has to change a setting. */
export function isHopeless(error: unknown): boolean {
  if (error instanceof RuntimeError) return error.code === 'misconfigured';
  if (causesOf(error).some((each) => each.name === 'KafkaJSSASLAuthenticationError')) return true;
  return HOPELESS.has(codeOf(error) ?? '');
}

/** Whether a cluster that is away, or comes together anew, explains it. */
export function isPassing(error: unknown): boolean {
  if (error instanceof RuntimeError) return error.code === 'unavailable';
  return causesOf(error).some(
    (each) =>
      ('retriable' in each && each.retriable === true) ||
      /^KafkaJS(Connection|RequestTimeout|Broker|NoBroker|NumberOfRetries)/.test(each.name) ||
      // One that stands still: the client asks it before it has been greeted, and throws a bare error.
      each.message === 'Broker not connected' ||
      REJOINING.has(codeOf(each) ?? ''),
  );
}

const REJOINING = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

/** Whether a group asks its members to join once more. */
export function isRejoining(error: unknown): boolean {
  return (
    REJOINING.has(codeOf(error) ?? '') ||
    // The client joins a few times and then throws a bare error, without the code of what it was told.
    causesOf(error).some(
      ({ name, cause }) =>
        name === 'KafkaJSNumberOfRetriesExceeded' &&
        cause instanceof Error &&
        cause.name === 'KafkaJSError',
    )
  );
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let each = error; each instanceof Error && causes.length < 10; each = each.cause) {
    causes.push(each);
    // Some failures come as several at once, one of each partition.
    if ('errors' in each && Array.isArray(each.errors)) {
      causes.push(...each.errors.filter((e) => e instanceof Error));
    }
  }
  return causes;
}

/** An error of the client, as the rest of the system knows errors. */
export function kafkaError(what: string, cause: unknown): RuntimeError {
  if (cause instanceof RuntimeError) return cause;
  const why = `${what}: ${messageOf(cause)}`;
  return isHopeless(cause)
    ? new RuntimeError('misconfigured', `${why}. Check BUS_URL and what its user may do`, { cause })
    : new RuntimeError('unavailable', `${why}. Check that the brokers of BUS_URL run`, { cause });
}
