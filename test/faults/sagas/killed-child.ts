/**
 * A real process on a folder: gives the order there and, where it is told a failpoint, kills itself with
 * SIGKILL when it comes to it. Else it says on its standard output what came of the run. Argument: a
 * {@link Task} as JSON.
 */
import { writeSync } from 'node:fs';

import { Disk } from './disk.ts';
import { playOn } from './run.ts';
import { type Said, TaskSchema } from './task.ts';

const { folder, now, dieAt, ...given } = TaskSchema.parse(JSON.parse(process.argv[2] ?? ''));
const disk = await Disk.inFolder(folder, now);
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
const ran = await playOn(disk, given, dieAt === null ? {} : { deaths: [dieAt], die });
const { violations, ends, portrait, lives } = ran;
const said: Said = {
  ...{ violations: [...violations], ends: [...ends], portrait: [...portrait] },
  passed: [...(lives[0] ?? [])],
};
await disk.close();
writeSync(1, JSON.stringify(said));
