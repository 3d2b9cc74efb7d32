/** What accounts see to at each start: that the erased stay erased, and that there is a provider. */
import { RuntimeError, type Startup, systemPrincipal } from '@bivouac/infra/runtime';

import { CreateProvider } from './api/index.ts';
import { erasedPersons } from './projections/persons.ts';

export const startup: Startup = {
  // A store of keys may be an older one, brought back: before anything is opened with it, it is held
  // against the log.
  caughtUp: async (view, { keys }) => {
    for (const { person, purposes } of erasedPersons(view)) await keys.destroy(person, purposes);
  },
  // Always asked for: the first time it makes the provider, ever after it finds it.
  started: async (self, { providerName }) => {
    const provider = await self.command(
      CreateProvider,
      { name: providerName },
      { principal: systemPrincipal('system:start', '', ''), idempotencyKey: 'provider' },
    );
    // By another name it was made before: its name is changed by a command, not by a setting.
    if (provider.ok || provider.refusal.code === 'IDEMPOTENCY_CONFLICT') return;
    throw new RuntimeError(
      provider.refusal.retryable === true ? 'unavailable' : 'misconfigured',
      `The provider cannot be made: ${provider.refusal.message}`,
    );
  },
};
