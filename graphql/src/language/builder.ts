/**
 * The one schema builder. Contexts add their types to it; `schema.ts` builds it once. Relay's plugin
 * gives connections; `Node` and its ids are ours (language/node.ts), since our ids name their type.
 */
import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';

import type { Context } from '../request/context.ts';

interface OwnTypes {
  Context: Context;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: true;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    Position: { Input: string; Output: string };
    Revision: { Input: string; Output: string };
    Bytes: { Input: string; Output: string };
    Int64: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
    Month: { Input: string; Output: string };
    Cidr: { Input: string; Output: string };
    JSON: { Input: never; Output: unknown };
  };
}

/** The types of the builder with Pothos' own filled in: what refs are declared with. */
export type SchemaTypes = PothosSchemaTypes.ExtendDefaultTypes<OwnTypes>;

export const builder = new SchemaBuilder<OwnTypes>({
  plugins: [RelayPlugin],
  defaultFieldNullability: false,
  defaultInputFieldRequiredness: true,
  relay: {
    cursorType: 'String',
    clientMutationId: 'omit',
    // `Query.nodes` is the list of hardware nodes; Relay asks for `node` alone.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    edgesFieldOptions: { nullable: false, description: 'The items of this page, in list order.' },
    nodeFieldOptions: { nullable: false, description: 'The item.' },
    cursorFieldOptions: { description: 'Where the item stands; for `after` and `before`.' },
    pageInfoTypeOptions: { description: 'What lies around a page of a list.' },
    pageInfoFieldOptions: { description: 'What lies around this page.' },
    hasNextPageFieldOptions: { description: 'Whether items follow this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether items come before this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first item, null on an empty page.' },
    endCursorFieldOptions: { description: 'Cursor of the last item, null on an empty page.' },
    firstArgOptions: { description: 'Items from the start, 1 to 100; 20 unless told.' },
    lastArgOptions: { description: 'Items from the end, 1 to 100; not together with `first`.' },
    afterArgOptions: { description: 'Only what follows this cursor.' },
    beforeArgOptions: { description: 'Only what comes before this cursor.' },
  },
});

builder.queryType({ description: 'Everything that can be read. Each list pages as Relay says.' });
builder.mutationType({
  description:
    'Everything that can be changed. Each takes an `idempotencyKey` of your choosing: the same key ' +
    'with the same input gives the first result again.',
});
