/** What every resolver is given. */
import type { Live } from '../live/changes.ts';
import type { Services } from './services.ts';
import type { Viewer } from './viewer.ts';

export interface Context {
  readonly viewer: Viewer;
  readonly services: Services;
  /** Only where the source of a subscription is set up. */
  readonly live?: Live;
}
