/**
 * `bivouac log settle`: lets an installation come to rest and stops it, so that every reaction stands at
 * the end of its log. Nobody can order anything meanwhile.
 */
import { EventStoreError, examineLog } from '@bivouac/infra/event-store';
import { createLogger, eventsOf, readConfig, systemClock } from '@bivouac/infra/runtime';

import { allServices } from '../services.ts';
import type { SettleCommand } from './arguments.ts';
import type { Outcome } from './outcome.ts';
import { behindIn, behindText, surveyOf } from './survey.ts';

const EMBEDDED = 'sqlite:';

/**
 * Starts, waits and stops, with the settings of the environment.
 *
 * @throws ConfigError for settings that cannot be used, and what a start throws.
 */
export async function settleLog({ json }: SettleCommand): Promise<Outcome> {
  // The gateway and all that comes with it is loaded for this command alone.
  const { startEmbedded } = await import('../embedded.ts');
  const config = readConfig(undefined, eventsOf(allServices));
  if (!config.EVENT_STORE_URL.startsWith(EMBEDDED)) {
    throw new EventStoreError(
      'invalid',
      'EVENT_STORE_URL: log settle is for the embedded log: expected sqlite:<folder>',
    );
  }
  const installation = await startEmbedded({
    config,
    clock: systemClock,
    logger: createLogger(config.LOG_LEVEL, process.stderr),
    // What has stopped by itself ends the wait for rest, too.
    onFailure: () => undefined,
  });
  const { host, nodes } = installation;
  try {
    await host.settled();
    // What nodes have in hand they answer before they go, and that is reacted to. What they are asked
    // after that waits for them in the log.
    await nodes.stop();
    await host.settled();
  } finally {
    await installation.stop(config.SHUTDOWN_MS);
  }
  const log = examineLog(config.EVENT_STORE_URL.slice(EMBEDDED.length));
  try {
    const behind = behindIn(surveyOf(log));
    const ok = behind.length === 0;
    return {
      exitCode: ok ? 0 : 1,
      text: json
        ? JSON.stringify({ ok, behind })
        : [
            ...behind.map(behindText),
            ok
              ? 'ok: at rest and stopped, every reaction has come to the end of the log'
              : 'NOT ok: it was stopped before that; give the command once more',
          ].join('\n'),
    };
  } finally {
    log.close();
  }
}
