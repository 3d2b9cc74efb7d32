/** `npm run endpoint`: a replica of the agents' endpoint as a process of its own, until it is told to stop. */
import { runPart } from '@bivouac/infra/process';

import { startEndpointPart } from './part.ts';

runPart('endpoint', startEndpointPart);
