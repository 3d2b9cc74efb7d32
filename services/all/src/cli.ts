/** `npm run bivouac -- <command>`: what is done to an installation that is stopped. */
import { run } from './cli/run.ts';

const { exitCode, text } = await run(process.argv.slice(2), (line) => {
  console.error(line);
});
if (exitCode === 2) console.error(text);
else console.log(text);
process.exitCode = exitCode;
