/** `npm run service -- accounts`: a replica of accounts as a process of its own, until it is told to stop. */
import { runService } from '@bivouac/infra/process';

import { accountsService } from './service.ts';

runService(accountsService);
