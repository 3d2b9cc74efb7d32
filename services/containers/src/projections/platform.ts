/** Ranges with what is leased, images, and the size of rosters. */
import {
  AddressLeased,
  AddressReleased,
  ContainerEntered,
  ContainerLeft,
  ImageDeprecated,
  ImageDrafted,
  ImagePublished,
  ImageTested,
  ImageWithdrawn,
  type RangeFacts,
  RangeOpened,
  RangeRegistered,
} from '@bivouac/events/containers';
import { parseCidr } from '@bivouac/events/values';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { ImageView, RangeView } from '../api/index.ts';
import { slotsOf } from '../domain/pool.ts';

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
  tables: [ranges, rangeFacts, images, rosters],
  on: [
    on(RangeRegistered, (event, view) => {
      const { rangeId, cidr, family, gateway, location, coolDownSeconds, reserved } = event.data;
      const facts = { rangeId, cidr, family, gateway, location, coolDownSeconds };
      // It opens the range: nothing is in it that a later version of the event says besides.
      view.put(rangeFacts, { ...facts, reserved });
      view.put(ranges, {
        ...facts,
        size: slotsOf(parseCidr(facts.cidr)) - reserved.length,
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
        retired: null,
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
    on(ImageDeprecated, (event, view) => {
      retire(view, event.data, 'deprecated', event.time);
    }),
    on(ImageWithdrawn, (event, view) => {
      retire(view, event.data, 'withdrawn', event.time);
    }),
    on(ContainerEntered, (event, view) => {
      rosterOf(view, event.homeid, 1);
    }),
    on(ContainerLeft, (event, view) => {
      rosterOf(view, event.homeid, -1);
    }),
  ],
});

function retire(
  view: WritableView,
  { imageId, reason }: { readonly imageId: string; readonly reason: string },
  status: 'deprecated' | 'withdrawn',
  at: string,
): void {
  const row = view.get(images, imageId);
  if (row !== undefined) view.put(images, { ...row, status, retired: { reason, at } });
}

function leasedOf(view: WritableView, rangeId: string, by: 1 | -1): void {
  const row = view.get(ranges, rangeId);
  if (row !== undefined) view.put(ranges, { ...row, leased: row.leased + by });
}

function rosterOf(view: WritableView, homeId: string, by: 1 | -1): void {
  const containers = (view.get(rosters, homeId)?.containers ?? 0) + by;
  view.put(rosters, { homeId, containers });
}
