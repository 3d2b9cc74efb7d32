/** A node from its URL: the engine's driver and the agent's fence, both with a folder of their own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from './driver-clock.ts';
import { openDriver } from './driver-url.ts';
import type { Driver, InstalledPackage } from './driver.ts';
import { type Fence, openFence } from './fence/fence.ts';
import { type StepAnswer, StepAnswerSchema } from './step-answer.ts';

export interface OpenNodeOptions {
  /** e.g. `fake:` or `lxd+unix:`; see {@link openDriver}. */
  readonly url: string;
  /** The node's name: tells several nodes of one URL apart. */
  readonly name: string;
  /** Holds the fence and, for a fake node, its engine's state. */
  readonly folder: string;
  readonly clock: Clock;
  /** What a fake node's counters of use go by. Default: the clock. */
  readonly now?: () => number;
  /** What a fake node's images have installed, by digest. */
  readonly inventories?: (digest: string) => readonly InstalledPackage[];
}

/** What an agent drives. */
export interface OpenedNode {
  readonly driver: Driver;
  readonly fence: Fence<StepAnswer>;
}

/** Opens both. The agent closes them when it stops. */
export async function openNode(options: OpenNodeOptions): Promise<OpenedNode> {
  const { url, name, folder, clock, now, inventories } = options;
  await mkdir(folder, { recursive: true });
  const driver = await openDriver(url, {
    folder: join(folder, 'engine'),
    node: name,
    clock,
    ...(now === undefined ? {} : { now }),
    ...(inventories === undefined ? {} : { inventories }),
  });
  const fence = await openFence(join(folder, 'fence'), { answer: StepAnswerSchema });
  return { driver, fence };
}
