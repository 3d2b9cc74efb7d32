/**
 * `bivouac log settle`: lets an installation come to rest and stops it, so that every reaction stands at
 * the end of its log. Nobody can order anything meanwhile; nodes are connected, since what is under way
 * waits for them.
 */
import { createLogger, eventsOf, readConfig, systemClock } from '@bivouac/infra/runtime';

import { allServices } from '../services.ts';
import type { SettleCommand } from './arguments.ts';
import type { Outcome } from './outcome.ts';

/** Starts, waits and stops, with the settings of the environment. Throws what a start throws. */
export async function settleLog({ json }: SettleCommand): Promise<Outcome> {
  // The gateway and all that comes with it is loaded for this command alone.
  const { startEmbedded } = await import('../embedded.ts');
  const config = readConfig(undefined, eventsOf(allServices));
  const installation = await startEmbedded({
    config,
    clock: systemClock,
    logger: createLogger(config.LOG_LEVEL, process.stderr),
    // What has stopped by itself ends the wait for rest, too.
    onFailure: () => undefined,
  });
  try {
    await installation.host.settled();
  } finally {
    await installation.stop(config.SHUTDOWN_MS);
  }
  return {
    exitCode: 0,
    text: json
      ? JSON.stringify({ ok: true })
      : 'at rest and stopped: every reaction has come to the end of the log',
  };
}
