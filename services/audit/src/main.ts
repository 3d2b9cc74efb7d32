/** `npm run service -- audit`: a replica of audit as a process of its own, until it is told to stop. */
import { runService } from '@bivouac/infra/process';

import { auditService } from './service.ts';

runService(auditService);
