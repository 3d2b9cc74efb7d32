/**
 * `bivouac log settle`: lets an installation come to rest and stops it, so that every reaction stands at
 * the end of its log. Nobody can order anything meanwhile.
 */
import { EventStoreError, examineLog } from '@bivouac/infra/event-store';
import {
  type Behind,
  type Config,
  createLogger,
  eventsOf,
  readConfig,
  systemClock,
} from '@bivouac/infra/runtime';

import { allServices } from '../services.ts';
import type { SettleCommand } from './arguments.ts';
import type { Outcome } from './outcome.ts';
import { behindIn, behindText, surveyOf } from './survey.ts';

const EMBEDDED = 'sqlite:';
/** The last answer of a node may come in the moment of the stop: the next turn finds it. */
const TURNS = 5;

/**
 * Starts, waits and stops, with the settings of the environment.
 *
 * @throws ConfigError for settings that cannot be used, and what a start throws.
 */
export async function settleLog({ json }: SettleCommand): Promise<Outcome> {
  const config = readConfig(undefined, eventsOf(allServices));
  if (!config.EVENT_STORE_URL.startsWith(EMBEDDED)) {
    throw new EventStoreError(
      'invalid',
      'EVENT_STORE_URL: log settle is for the embedded log: expected sqlite:<folder>',
    );
  }
  let behind: readonly Behind[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    await rest(config);
    behind = behindAt(config.EVENT_STORE_URL.slice(EMBEDDED.length));
    if (behind.length === 0) break;
  }
  const ok = behind.length === 0;
  return {
    exitCode: ok ? 0 : 1,
    text: json
      ? JSON.stringify({ ok, behind })
      : [
          ...behind.map(behindText),
          ok
            ? 'ok: at rest and stopped, every reaction has come to the end of the log'
            : `NOT ok: started and stopped ${TURNS} times, and each time something came at the end: give the command once more`,
        ].join('\n'),
  };
}

/** Starts it, waits until nothing is to be done but by nodes, stops it. */
async function rest(config: Config): Promise<void> {
  // The gateway and all that comes with it is loaded for this command alone.
  const { startEmbedded } = await import('../embedded.ts');
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
    // What nodes have in hand they answer before they go.
    await nodes.stop();
    await host.settled();
  } finally {
    await installation.stop(config.SHUTDOWN_MS);
  }
}

function behindAt(folder: string): readonly Behind[] {
  const log = examineLog(folder);
  try {
    return behindIn(surveyOf(log));
  } finally {
    log.close();
  }
}
