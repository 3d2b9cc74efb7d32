/** Logs: one JSON line each, with correlation, never with secrets or personal data. */
import { type DestinationStream, pino, type Logger } from 'pino';

import type { Config } from './config.ts';

export type { Logger };

/** Field names whose values never reach a log, wherever they stand in the first levels. */
const secretFields = [
  'key',
  'apiKey',
  'authorization',
  'password',
  'secret',
  'token',
  'email',
  'clear',
  'reveal',
];

/** The root logger of a process. Give parts of it a `child({ service })`. */
export function createLogger(level: Config['LOG_LEVEL'], destination?: DestinationStream): Logger {
  const paths = secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]);
  const options = { level, base: null, redact: { paths, censor: '[redacted]' } };
  return destination === undefined ? pino(options) : pino(options, destination);
}
