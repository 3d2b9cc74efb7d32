/** The repository of the demo's month, for the tests too. */
export { type Rpm, writeRepository } from '../../services/all/src/demo/repository.ts';
