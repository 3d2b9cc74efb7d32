/**
 * The services as a later release has them: events have a further version, which that release reads, and
 * writes when it is told to. Hosts are rolled to it one after the other while the others run on.
 */
import { customer, event, type EventDefinition } from '@bivouac/events/language';
import { operationProtocolEvents } from '@bivouac/events/operations';
import { parkingOrderEvents } from '@bivouac/events/audit';
import { allServices } from '@bivouac/all/services';
import type { Draws } from '@bivouac/all/draws';
import type { ServiceDefinition } from '@bivouac/infra/runtime';
import { z } from 'zod';

/** What a host runs: the release before, the one that reads later versions, that one writing them. */
export type Release = 'before' | 'reads' | 'writes';

/** Two releases of all services. */
export interface Releases {
  readonly of: (release: Release) => readonly ServiceDefinition[];
  /** What hosts of a release are told to write, by type. */
  readonly written: (release: Release) => ReadonlyMap<string, number>;
  /** Reads whatever any of them has written. */
  readonly latest: readonly ServiceDefinition[];
}

/** The share of event types that have a later version. */
const SHARE = 0.5;
/** Of the runtime and between all services: no service's own to change. */
const protocol: ReadonlySet<string> = new Set(
  [...operationProtocolEvents, ...parkingOrderEvents].map(({ type }) => type),
);

/** There is only the release that there is. */
export const onlyRelease: Releases = {
  of: () => allServices,
  written: () => new Map(),
  latest: allServices,
};

/** A later release, in which some types of events have a further version. */
export function laterRelease(draws: Draws): Releases {
  const later = new Map<string, EventDefinition>();
  const types = allServices.flatMap(({ events }) => events);
  for (const definition of new Set(types)) {
    if (protocol.has(definition.type) || !draws.chance(SHARE)) continue;
    later.set(definition.type, laterOf(definition));
  }
  const latest = allServices.map((service) => ({
    ...service,
    events: service.events.map((definition) => later.get(definition.type) ?? definition),
  }));
  const written = new Map([...later].map(([type, { version }]) => [type, version]));
  return {
    of: (release) => (release === 'before' ? allServices : latest),
    written: (release) => (release === 'writes' ? written : new Map<string, number>()),
    latest,
  };
}

/** Its next version has a field more, and is not written unless the host is told to. */
function laterOf(definition: EventDefinition): EventDefinition {
  const { type, version, schema, schemas, upcasters, writes } = definition;
  return event(type, schema.safeExtend({ since: customer(z.string()).optional() }), {
    schemas: Object.fromEntries(schemas),
    upcasters: [
      ...upcasters,
      {
        from: version,
        to: version + 1,
        upcast: (body) => ({ ...body, since: `version ${version}` }),
        downcast: ({ since: _, ...body }) => body,
      },
    ],
    writes,
  });
}
