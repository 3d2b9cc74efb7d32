/** What of the log concerns which service: handlers by event type, and the tables they write. */
import { createHash } from 'node:crypto';
import type { EventRegistry, Recorded } from '@bivouac/events/language';

import type { Table, WritableView } from '../../views/port.ts';
import type { ViewSchema } from '../../views/store.ts';
import type { ApplyStored, ServiceDefinition } from '../definitions.ts';
import { RuntimeError } from '../errors.ts';

export type Apply = (event: Recorded, view: WritableView) => void;

/** By event type, then by the service's place in the list: what applies the event there. */
export type Slices = ReadonlyMap<string, readonly (readonly Apply[])[]>;

/**
 * The handlers of all projections of the services, in the order they are listed.
 *
 * @throws RuntimeError `misconfigured` where a projection handles what the registry does not know.
 */
export function slicesOf(services: readonly ServiceDefinition[], registry: EventRegistry): Slices {
  const slices = new Map<string, Apply[][]>();
  for (const [i, service] of services.entries()) {
    const names = new Set<string>();
    for (const projection of service.projections) {
      if (names.has(projection.name)) {
        throw misconfigured(`${service.name} has two projections named ${projection.name}`);
      }
      names.add(projection.name);
      for (const [type, apply] of projection.handlers) {
        if (!registry.definitions.has(type)) {
          throw misconfigured(
            `the projection ${projection.name} of ${service.name} handles ${type}: list it in the service's events`,
          );
        }
        const byService = slices.get(type) ?? services.map(() => []);
        slices.set(type, byService);
        byService[i]?.push(apply);
      }
    }
  }
  return slices;
}

/** What of a service's projections sees every event as it is stored. */
export function storedAppliersOf(service: ServiceDefinition): readonly ApplyStored[] {
  return service.projections.flatMap(({ stored }) => (stored === undefined ? [] : [stored]));
}

/** The tables a service's projections write, each once. */
export function tablesOf(service: ServiceDefinition): readonly Table[] {
  return [...new Set(service.projections.flatMap((projection) => projection.tables))];
}

/**
 * The schema to open a service's view store with. Its version covers the text of the projections, so
 * that an edited one is rebuilt; what they import is covered by the release.
 *
 * @param release version of the code, e.g. the package's.
 */
export function viewSchemaOf(service: ServiceDefinition, release: string): ViewSchema {
  const hash = createHash('sha256').update(`${release}\n`);
  for (const { name, tables, handlers, stored } of service.projections) {
    hash.update(`${name}\n`);
    for (const table of tables) {
      hash.update(`${table.name} ${textOf(table, 'key')}\n`);
      for (const index of Object.keys(table.indexes)) {
        hash.update(`${index} ${textOf(table.indexes, index)}\n`);
      }
    }
    for (const [type, apply] of handlers) hash.update(`${type} ${String(apply)}\n`);
    if (stored !== undefined) hash.update(`every event ${String(stored)}\n`);
  }
  return { tables: tablesOf(service), version: hash.digest('hex') };
}

/** The source text of a function that an object holds. */
function textOf(holder: object, name: string): string {
  return String(Object.getOwnPropertyDescriptor(holder, name)?.value);
}

function misconfigured(message: string): RuntimeError {
  return new RuntimeError('misconfigured', message);
}
