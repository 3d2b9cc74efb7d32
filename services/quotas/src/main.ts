/** `npm run service -- quotas`: a replica of quotas as a process of its own, until it is told to stop. */
import { runService } from '@bivouac/infra/process';

import { quotasService } from './service.ts';

runService(quotasService);
