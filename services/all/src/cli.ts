/** `npm run bivouac -- <command>`: what is done to an installation besides running it. */
import { run, type RunOptions } from './cli/run.ts';

const { stdout } = process;
const colours = stdout.isTTY && stdout.hasColors();
const tell = (line: string): void => {
  console.error(line);
};

/** Until Ctrl-C, or until whoever read the output has gone. */
const watch: RunOptions['watch'] = () => {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  stdout.on('error', end);
  return {
    signal: ending.signal,
    screen: {
      write: (text) => {
        stdout.write(text);
      },
      rows: () => (stdout.isTTY ? stdout.rows : undefined),
    },
  };
};

const { exitCode, text } = await run(process.argv.slice(2), { colours, tell, watch });
if (text !== '') (exitCode === 2 ? console.error : console.log)(text);
process.exitCode = exitCode;
