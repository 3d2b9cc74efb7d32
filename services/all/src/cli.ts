/** `npm run bivouac -- <command>`: what is done to an installation besides running it. */
import { run } from './cli/run.ts';

const colours = process.stdout.isTTY && process.stdout.hasColors();
const tell = (line: string): void => {
  console.error(line);
};
const { exitCode, text } = await run(process.argv.slice(2), { colours, tell });
if (exitCode === 2) console.error(text);
else console.log(text);
process.exitCode = exitCode;
