/** `npm run service -- packages`: a replica of packages as a process of its own, until it is told to stop. */
import { runService } from '@bivouac/infra/process';

import { packagesService } from './service.ts';

runService(packagesService);
