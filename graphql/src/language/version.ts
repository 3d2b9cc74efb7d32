/** The version of an object: what a change that was decided on it can be bound to. */
import type { Changes, ChangesArgs } from '@bivouac/events/operations';

import type { Services } from '../request/services.ts';
import type { SchemaTypes } from './builder.ts';

type Fields<T> = PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, T>;

/** The field `version`. */
export function version<T extends { readonly id: string }>(
  t: Fields<T>,
  read: (services: Services, id: string, page: ChangesArgs) => Promise<Changes | null>,
) {
  return t.field({
    type: 'Revision',
    description:
      'Raised by every change, also by those that show nowhere here. Hand it back as ' +
      '`expectedVersion` to change the object only as you have read it.',
    resolve: (thing, _args, { services }) =>
      services.versionOf(thing, (page) => read(services, thing.id, page)),
  });
}
