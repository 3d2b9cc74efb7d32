/**
 * The aggregate of an inventory, `inventory-<img id>` or `inventory-<ctr id>`, and of a stored list,
 * `packagelist-<digest>`: what is installed, by digest and difference.
 */
import {
  ContainerInventoryEnded,
  ContainerInventoryRecorded,
  ImageInventoryRecorded,
  PackageListRecorded,
  type inventoryEvents,
} from '@bivouac/events/packages';
import {
  accept,
  canonicalText,
  refuse,
  type Decision,
  type EventOf,
} from '@bivouac/events/language';

import type { Difference } from './package-list.ts';

export interface InventoryState {
  /** The digest of an image's or a list's own stream. */
  digest: string | undefined;
  container:
    | {
        readonly tenantId: string;
        /** Its image's list: what differences are told against. */
        readonly origin: string;
        /** Its image's name, where it was recorded. */
        readonly image: string | undefined;
        readonly base: string;
        readonly difference: Difference;
        readonly observedAt: string;
        readonly ended: boolean;
      }
    | undefined;
}

export const inventoryInitial = (): InventoryState => ({ digest: undefined, container: undefined });

/** The stream of an image's or a container's inventory. */
export function inventoryStream(id: string): string {
  return `inventory-${id}`;
}

export function listStream(digest: string): string {
  return `packagelist-${digest}`;
}

export function evolveInventory(
  state: InventoryState,
  event: EventOf<(typeof inventoryEvents)[number]>,
): InventoryState {
  switch (event.type) {
    case 'packages.PackageListRecorded':
    case 'packages.ImageInventoryRecorded':
      return { ...state, digest: event.data.inventory };
    case 'packages.ContainerInventoryRecorded': {
      const { tenantId, base, added, removed, observedAt } = event.data;
      const origin = state.container?.origin ?? base;
      const image = state.container?.image ?? event.data.image;
      const difference = { added, removed };
      return {
        ...state,
        container: { tenantId, origin, image, base, difference, observedAt, ended: false },
      };
    }
    case 'packages.ContainerInventoryEnded':
      if (state.container === undefined) return state;
      return { ...state, container: { ...state.container, ended: true } };
    default:
      return state;
  }
}

/** A list that was checked and stored, or the package that stands in it twice. */
export type StoredList =
  { readonly kind: 'stored'; readonly inventory: string; readonly count: number } | Twice;

export interface Twice {
  readonly kind: 'twice';
  readonly index: number;
  readonly package: string;
}

export function recordPackageList(state: InventoryState, list: StoredList): Decision {
  if (list.kind === 'twice') return packageTwice(list);
  if (state.digest !== undefined) return accept();
  return accept(PackageListRecorded({ inventory: list.inventory, count: list.count }));
}

export function recordImageInventory(
  state: InventoryState,
  { imageId, list }: { readonly imageId: string; readonly list: StoredList },
): Decision {
  if (list.kind === 'twice') return packageTwice(list);
  if (state.digest === list.inventory) return accept();
  if (state.digest !== undefined) {
    return refuse(
      'IMAGE_INVENTORY_FIXED',
      'This image has its inventory, and an image never changes; register another image.',
      { path: ['input', 'packages'], details: { inventory: state.digest } },
    );
  }
  return accept(ImageInventoryRecorded({ imageId, inventory: list.inventory, count: list.count }));
}

export function startContainerInventory(
  state: InventoryState,
  input: {
    readonly containerId: string;
    readonly tenantId: string;
    readonly base: string;
    readonly image: string;
    readonly observedAt: string;
  },
): Decision {
  if (state.container !== undefined) return accept();
  const { containerId, tenantId, base, image, observedAt } = input;
  return accept(
    ContainerInventoryRecorded({
      ...{ containerId, tenantId, base, added: [], removed: [], observedAt, image },
    }),
  );
}

/** What was found installed, set against a stored list. */
export type Observation =
  | { readonly kind: 'compared'; readonly base: string; readonly difference: Difference }
  | { readonly kind: 'base-missing'; readonly base: string }
  | Twice;

export function recordContainerInventory(
  state: InventoryState,
  input: {
    readonly containerId: string;
    readonly observedAt: string;
    readonly operationId?: string | undefined;
    readonly observation: Observation;
  },
): Decision {
  const { containerId, observedAt, operationId, observation } = input;
  const { container } = state;
  if (container === undefined) {
    return refuse(
      'INVENTORY_UNKNOWN',
      `${containerId} has no inventory; it begins when the container first runs.`,
      { path: ['input', 'containerId'] },
    );
  }
  if (observation.kind === 'twice') return packageTwice(observation);
  if (observation.kind === 'base-missing') return inventoryMissing(observation.base);
  if (container.ended || observedAt < container.observedAt) return accept();
  const { base, difference } = observation;
  const same =
    container.base === base && canonicalText(container.difference) === canonicalText(difference);
  if (same) return accept();
  return accept(
    ContainerInventoryRecorded({
      ...{ containerId, tenantId: container.tenantId, base, ...difference, observedAt },
      ...(operationId === undefined ? {} : { operationId }),
    }),
  );
}

export function endContainerInventory(
  state: InventoryState,
  { containerId }: { readonly containerId: string },
): Decision {
  if (state.container === undefined || state.container.ended) return accept();
  return accept(ContainerInventoryEnded({ containerId, tenantId: state.container.tenantId }));
}

export function inventoryMissing(digest: string): ReturnType<typeof refuse> {
  return refuse(
    'INVENTORY_MISSING',
    `There is no readable package list ${digest} in the blob store; record or restore it.`,
    { details: { inventory: digest } },
  );
}

function packageTwice(list: Twice): ReturnType<typeof refuse> {
  return refuse('PACKAGE_TWICE', `${list.package} is listed twice; list each package once.`, {
    path: ['input', 'packages', String(list.index)],
  });
}
