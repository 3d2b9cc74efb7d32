// What tests get as fast-check: the library, with one seed for everything that is drawn. So a change is judged
// by the same cases each time, and not by the luck of the day; `npm run test:laws` draws others.
import { env } from 'node:process';

// By its file: its name leads here.
import fc from '../node_modules/fast-check/lib/fast-check.js';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(env['TEST_SEED'] ?? 1) });

export default fc;
