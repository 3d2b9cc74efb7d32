/** Every command of accounts. */
import type { CommandHandler } from '@bivouac/infra/runtime';

import { keyCommands } from './keys.ts';
import { peopleCommands } from './people.ts';
import { personCommands } from './persons.ts';
import { tenantCommands } from './tenants.ts';

export const accountsCommands: readonly CommandHandler[] = [
  ...tenantCommands,
  ...peopleCommands,
  ...keyCommands,
  ...personCommands,
];
