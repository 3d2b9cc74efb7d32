/** Fills a set of programs as an operator would: by commands alone, and with patience. */
import { RuntimeError, systemClock } from '@bivouac/infra/runtime';

import { type Furnished, furnish } from '../orders.ts';
import type { Programs } from './programs.ts';

/** Milliseconds in which nothing was appended, until a set counts as at rest. */
const QUIET = 2000;
const ATTEMPTS = 20;

/**
 * What a reaction has yet to make is refused as not there: every command has a key, so that all of it is
 * done again until nothing is refused.
 */
export async function furnishPrograms(programs: Programs): Promise<Furnished> {
  const { host, provider } = programs;
  const settled = (): Promise<void> => quiet(programs);
  for (let attempt = 1; ; attempt++) {
    try {
      return await furnish(
        { command: (contract, input, call) => host.command(contract, input, call), settled },
        provider,
      );
    } catch (error) {
      if (!(error instanceof RuntimeError) || attempt === ATTEMPTS) throw error;
      await settled();
    }
  }
}

/** Resolves when nothing was appended for a while. */
export async function quiet({ store }: Pick<Programs, 'store'>): Promise<void> {
  for (let before = await store.head(); ;) {
    await systemClock.sleep(QUIET);
    const now = await store.head();
    if (now.position === before.position) return;
    before = now;
  }
}
