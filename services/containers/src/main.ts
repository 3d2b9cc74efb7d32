/** `npm run service -- containers`: a replica of containers as a process of its own, until it is told to stop. */
import { runService } from '@bivouac/infra/process';

import { containersService } from './service.ts';

runService(containersService);
