/**
 * Which operations may be remembered: queries that read nothing but what the log alone decides and what
 * may lie in a cache. No personal data is sealed there (law 11), and no reading of it may go
 * unrecorded; what a price or an invoice comes to depends on the day.
 */
import {
  type DocumentNode,
  getOperationAST,
  type GraphQLSchema,
  isCompositeType,
  isObjectType,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** Where a memorable query begins. */
const FIELDS: ReadonlySet<string> = new Set([
  'container',
  'containers',
  'operation',
  'operations',
  '__typename',
]);

/** Types whose fields hold no personal data and change with the log alone. */
const TYPES: ReadonlySet<string> = new Set([
  'Query',
  'PageInfo',
  'Address',
  'ChildFailure',
  'ChildrenCount',
  'Container',
  'ContainerConnection',
  'ContainerEdge',
  'ContainerImage',
  'Limits',
  'Money',
  'Observation',
  'Operation',
  'OperationConnection',
  'OperationEdge',
  'OperationStep',
  'PlanTerms',
  'UserError',
]);

const known = new WeakMap<DocumentNode, Map<string, boolean>>();

/** Whether an operation of a checked document is one of them; found out once. */
export function isMemorable(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): boolean {
  const of = known.get(document) ?? new Map<string, boolean>();
  known.set(document, of);
  const name = operationName ?? '';
  const before = of.get(name);
  if (before !== undefined) return before;
  const found =
    getOperationAST(document, operationName)?.operation === OperationTypeNode.QUERY &&
    readsOnlyThose(schema, document);
  of.set(name, found);
  return found;
}

/** Of the whole document: fragments are looked at whoever uses them. */
function readsOnlyThose(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let only = true;
  visit(
    document,
    visitWithTypeInfo(types, {
      SelectionSet: () => {
        const parent = types.getParentType();
        if (!isCompositeType(parent) || !TYPES.has(parent.name)) only = false;
      },
      Field: ({ name }) => {
        const parent = types.getParentType();
        if (!isObjectType(parent) || parent.name !== 'Query') return;
        if (!FIELDS.has(name.value)) only = false;
      },
    }),
  );
  return only;
}
