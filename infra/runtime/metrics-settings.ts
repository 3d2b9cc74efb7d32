/** Where a process answers who measures it: never where it answers customers, agents or callers. */
import { z } from 'zod';

import { type ListenAddress, ListenSchema } from './listen-address.ts';

/** How far above PORT the metrics are unless METRICS_LISTEN says otherwise; below, where there is no room. */
const ABOVE = 10_000;
const HIGHEST = 65_535;

export const metricsSettings = {
  /**
   * Where `/metrics` is answered: a port of 127.0.0.1, an address and a port, or `off`. Unless set, on
   * 127.0.0.1 at PORT and 10000.
   */
  METRICS_LISTEN: z
    .union([z.literal('off'), ListenSchema], {
      error: 'expected a port, an address and a port like 127.0.0.1:14000, or off',
    })
    .optional(),
} as const;

/** Where the metrics of a process with these settings are; undefined: nowhere. */
export function metricsAddress(settings: {
  readonly METRICS_LISTEN?: 'off' | ListenAddress | undefined;
  readonly PORT: number;
}): ListenAddress | undefined {
  const { METRICS_LISTEN: given, PORT: port } = settings;
  if (given === 'off') return undefined;
  if (given !== undefined) return given;
  const above = port + ABOVE <= HIGHEST ? port + ABOVE : port - ABOVE;
  return { host: '127.0.0.1', port: port === 0 ? 0 : above };
}
