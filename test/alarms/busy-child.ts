/** Serves its metrics, and computes without a pause when it is told to. */
import { Closing, serveMetrics } from '@bivouac/infra/process';
import { createLogger, readConfig } from '@bivouac/infra/runtime';

/** Milliseconds for which nothing else is done. */
const SPELL = 700;

const config = readConfig({ METRICS_LISTEN: '0' });
const logger = createLogger('silent', process.stderr);
const { url } = await serveMetrics(
  { config, log: undefined, logger, part: 'busy', ready: () => true },
  new Closing(),
);
let working = false;
let spells = 0;

function spell(): void {
  if (!working) return;
  const end = performance.now() + SPELL;
  while (performance.now() < end) Math.sqrt(end);
  if (++spells === 12) process.send?.('worked');
  // So that it answers scrapes between two spells.
  setTimeout(spell, 5);
}

process.on('message', (what) => {
  working = what === 'work';
  spells = 0;
  if (working) spell();
  else process.send?.('rests');
});
process.send?.({ url });
