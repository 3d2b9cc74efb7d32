/** `npm run service -- billing`: a replica of billing as a process of its own, until it is told to stop. */
import { runService } from '@bivouac/infra/process';

import { billingService } from './service.ts';

runService(billingService);
