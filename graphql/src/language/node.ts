/**
 * Relay's Node. Our ids are TypeIDs: the prefix names the type, so an id is handed out as it is and
 * a malformed one, or one of another kind, is told from one that names nothing.
 */
import { type IdKind, idOf, prefixes } from '@bivouac/events/values';

import { requestError } from '../errors/request-error.ts';
import type { Context } from '../request/context.ts';
import { builder } from './builder.ts';
import { isGiven } from './given.ts';

/** What every node has. */
export interface NodeShape {
  readonly id: string;
}

type Load = (id: string, context: Context) => Promise<NodeShape | null>;

const loaders = new Map<string, { readonly typename: string; readonly load: Load }>();

export const NodeRef = builder.interfaceRef<NodeShape>('Node').implement({
  description: 'Something with an id of its own, for ever. `node(id)` reads it.',
  resolveType: (value) => loaders.get(prefixOf(value.id))?.typename,
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'The id, e.g. `ctr_…`: its prefix tells the type.',
    }),
  }),
});

/** Says how `node(id)` reads things of a kind. Null: there is none, or the caller may not see it. */
export function registerNode(kind: IdKind, typename: string, load: Load): void {
  loaders.set(prefixes[kind], { typename, load });
}

/** Reads anything by its id; null where there is none, it is out of reach or its kind has no reader. */
export function loadNode(id: string, context: Context): Promise<NodeShape | null> {
  return loaders.get(prefixOf(id))?.load(id, context) ?? Promise.resolve(null);
}

/** Checks an id argument; throws INVALID_ID naming the argument. */
export function idArgument(argument: string, kind: IdKind, id: string): string {
  const problem = idProblem(kind, id);
  if (problem === undefined) return id;
  throw requestError('INVALID_ID', `The argument ${argument}: ${problem}.`, { argument });
}

/** The same for an argument that may be left out. */
export function optionalIdArgument(
  argument: string,
  kind: IdKind,
  id: string | null | undefined,
): string | undefined {
  return isGiven(id) ? idArgument(argument, kind, id) : undefined;
}

/** What is wrong with an id of a kind, or undefined. */
export function idProblem(kind: IdKind, id: string): string | undefined {
  const parsed = schemas[kind].safeParse(id);
  return parsed.success ? undefined : parsed.error.issues[0]?.message;
}

const schemas = Object.fromEntries(
  Object.keys(prefixes).map((kind) => [kind, idOf(kind as IdKind)]),
) as Readonly<Record<IdKind, ReturnType<typeof idOf>>>;

const anyId = /^[a-z]{2,3}_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

function prefixOf(id: string): string {
  return id.slice(0, id.indexOf('_'));
}

builder.queryField('node', (t) =>
  t.field({
    type: NodeRef,
    nullable: true,
    description: 'Anything by its id; null where there is none or you may not see it.',
    args: { id: t.arg.id({ description: 'An id as any field gave it.' }) },
    resolve: (_root, { id }, context) => {
      const found = loaders.get(prefixOf(id));
      if (found === undefined || !anyId.test(id)) {
        throw requestError(
          'INVALID_ID',
          'The argument id: expected an id like ctr_01h455vb4pex5vsknk084sn02q, as a field `id` gave it.',
          { argument: 'id' },
        );
      }
      return found.load(id, context);
    },
  }),
);
