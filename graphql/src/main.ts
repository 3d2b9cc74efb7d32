/** `npm run gateway`: a replica of the gateway as a process of its own, until it is told to stop. */
import './production.ts';

import { runPart } from '@bivouac/infra/process';

import { startGatewayPart } from './part.ts';

runPart('gateway', startGatewayPart);
