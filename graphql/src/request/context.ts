/** What every resolver is given. */
import type { Services } from './services.ts';
import type { Viewer } from './viewer.ts';

export interface Context {
  readonly viewer: Viewer;
  readonly services: Services;
}
