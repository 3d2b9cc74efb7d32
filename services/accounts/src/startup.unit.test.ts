/** What a start makes of a provider that cannot be made: a store that is away is no setting to mend. */
import { expect, test } from '@jest/globals';
import { type CommandReply, refuse, type ServiceCaller } from '@bivouac/events/language';

import { startup } from './startup.ts';

function refusing(retryable: boolean): ServiceCaller {
  const { refusal } = refuse('UNAVAILABLE', 'nothing was done', { retryable });
  const reply: CommandReply<never> = { ok: false, refusal };
  return {
    command: () => Promise.resolve(reply),
    query: () => Promise.resolve({ ok: false, refusal }),
  };
}

test.each([
  [true, 'unavailable'],
  [false, 'misconfigured'],
])('a refusal that may be retried (%s) ends a start as %s', async (retryable, code) => {
  const started = startup.started?.(refusing(retryable), { providerName: 'Bivouac' });
  await expect(started).rejects.toMatchObject({ code });
});
