/** `npm run service -- provisioning`: a replica of provisioning as a process of its own, until it is told to stop. */
import { runService } from '@bivouac/infra/process';

import { provisioningService } from './service.ts';

runService(provisioningService);
