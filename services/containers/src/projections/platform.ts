/** Nodes with what is free on them, ranges with what is leased, images, and the size of rosters. */
import {
  AddressLeased,
  AddressReleased,
  ContainerEntered,
  ContainerLeft,
  ImageDrafted,
  ImagePublished,
  ImageTested,
  NodeCapacityFreed,
  NodeCapacityTaken,
  NodeRegistered,
  type RangeFacts,
  RangeOpened,
  RangeRegistered,
} from '@bivouac/events/containers';
import { type ResourceVector, parseCidr } from '@bivouac/events/values';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { ImageView, NodeView, RangeView } from '../api/index.ts';
import {
  type Amounts,
  amountsOf,
  minus,
  noAmounts,
  plus,
  promisable,
  vectorOf,
} from '../domain/capacity.ts';

export const nodes = table<NodeView>()({
  name: 'nodes',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byLocation: (row) => [row.location, row.position],
  },
});

interface PlacementRow {
  readonly placementId: string;
  readonly nodeId: string;
  readonly vector: ResourceVector;
}

/** Standing placements: freeing says the id only. */
const placements = table<PlacementRow>()({
  name: 'placements',
  key: (row) => row.placementId,
  indexes: { byNode: (row) => [row.nodeId, row.placementId] },
});

export interface RangeRow extends RangeView {
  /** Its own stream has begun, and knows the facts. */
  readonly opened: boolean;
}

export const ranges = table<RangeRow>()({
  name: 'ranges',
  key: (row) => row.rangeId,
  indexes: {
    byPosition: (row) => [row.position],
    byFamily: (row) => [row.family, row.position],
    byPool: (row) => [row.location, row.family, row.position],
  },
});

/** The facts of a range, apart from its row since they may be long and never change. */
export const rangeFacts = table<RangeFacts>()({
  name: 'range_facts',
  key: (row) => row.rangeId,
  indexes: {},
});

export const images = table<ImageView>()({
  name: 'images',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byStatus: (row) => [row.status, row.position],
  },
});

interface RosterRow {
  readonly homeId: string;
  readonly containers: number;
}

export const rosters = table<RosterRow>()({
  name: 'rosters',
  key: (row) => row.homeId,
  indexes: { byHome: (row) => [row.homeId] },
});

export const platformProjection = projection({
  name: 'containers.platform',
  tables: [nodes, placements, ranges, rangeFacts, images, rosters],
  on: [
    on(NodeRegistered, (event, view) => {
      const { nodeId, ...facts } = event.data;
      view.put(nodes, {
        id: nodeId,
        ...facts,
        used: vectorOf(noAmounts),
        free: vectorOf(promisable(facts.capacity, facts.cpuOvercommitPercent)),
        placements: 0,
        createdAt: event.time,
        position: event.position,
      });
    }),
    on(NodeCapacityTaken, (event, view) => {
      const { nodeId, placementId, vector } = event.data;
      view.put(placements, { placementId, nodeId, vector });
      useOf(view, nodeId, (used) => plus(used, amountsOf(vector)), 1);
    }),
    on(NodeCapacityFreed, (event, view) => {
      const { nodeId, placementId } = event.data;
      const placement = view.get(placements, placementId);
      if (placement === undefined) return;
      view.delete(placements, placementId);
      useOf(view, nodeId, (used) => minus(used, amountsOf(placement.vector)), -1);
    }),
    on(RangeRegistered, (event, view) => {
      const { reserved, ...facts } = event.data;
      view.put(rangeFacts, { ...facts, reserved });
      view.put(ranges, {
        ...facts,
        size: Number(parseCidr(facts.cidr).size) - reserved.length,
        leased: 0,
        opened: false,
        createdAt: event.time,
        position: event.position,
      });
    }),
    on(RangeOpened, (event, view) => {
      const row = view.get(ranges, event.data.rangeId);
      if (row !== undefined) view.put(ranges, { ...row, opened: true });
    }),
    on(AddressLeased, (event, view) => {
      leasedOf(view, event.data.rangeId, 1);
    }),
    on(AddressReleased, (event, view) => {
      leasedOf(view, event.data.rangeId, -1);
    }),
    on(ImageDrafted, (event, view) => {
      const { imageId, ...facts } = event.data;
      view.put(images, {
        id: imageId,
        ...facts,
        status: 'drafted',
        checks: [],
        technician: null,
        testedAt: null,
        publishedAt: null,
        createdAt: event.time,
        position: event.position,
      });
    }),
    on(ImageTested, (event, view) => {
      const { imageId, technician, checks } = event.data;
      const row = view.get(images, imageId);
      if (row === undefined) return;
      view.put(images, { ...row, status: 'tested', technician, checks, testedAt: event.time });
    }),
    on(ImagePublished, (event, view) => {
      const row = view.get(images, event.data.imageId);
      if (row === undefined) return;
      view.put(images, { ...row, status: 'published', publishedAt: event.time });
    }),
    on(ContainerEntered, (event, view) => {
      rosterOf(view, event.homeid, 1);
    }),
    on(ContainerLeft, (event, view) => {
      rosterOf(view, event.homeid, -1);
    }),
  ],
});

function useOf(
  view: WritableView,
  nodeId: string,
  next: (used: Amounts) => Amounts,
  placed: 1 | -1,
): void {
  const row = view.get(nodes, nodeId);
  if (row === undefined) return;
  const used = next(amountsOf(row.used));
  const free = minus(promisable(row.capacity, row.cpuOvercommitPercent), used);
  view.put(nodes, {
    ...row,
    used: vectorOf(used),
    free: vectorOf(free),
    placements: row.placements + placed,
  });
}

function leasedOf(view: WritableView, rangeId: string, by: 1 | -1): void {
  const row = view.get(ranges, rangeId);
  if (row !== undefined) view.put(ranges, { ...row, leased: row.leased + by });
}

function rosterOf(view: WritableView, homeId: string, by: 1 | -1): void {
  const containers = (view.get(rosters, homeId)?.containers ?? 0) + by;
  view.put(rosters, { homeId, containers });
}
