/** Starts an installation on a data folder, says when it is ready, and stops. */
import { startEmbedded } from '@bivouac/all';
import { createLogger, systemClock } from '@bivouac/infra/runtime';

import { configOf } from './orders.ts';

const installation = await startEmbedded({
  config: configOf(process.argv[2] ?? ''),
  clock: systemClock,
  logger: createLogger('error', process.stderr),
  onFailure: (error) => {
    console.error(error);
    process.exit(1);
  },
});
if (!installation.host.ready()) throw new Error('it has started and is not ready');
console.log('ready');
await installation.stop(10_000);
process.disconnect?.();
