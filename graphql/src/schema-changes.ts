/**
 * How a schema differs from the one that was released, by what it does to a client that was written
 * for that: what breaks it, what may surprise it, and what we have said it has to expect.
 */
import {
  type BreakingChangeType,
  DangerousChangeType,
  findBreakingChanges,
  findDangerousChanges,
  type GraphQLSchema,
} from 'graphql';

export interface SchemaChange {
  readonly type: BreakingChangeType | DangerousChangeType;
  readonly description: string;
}

/** docs/graphql.md, "Versions": new values, members and arguments are additions. */
const expected: ReadonlySet<string> = new Set([
  DangerousChangeType.VALUE_ADDED_TO_ENUM,
  DangerousChangeType.TYPE_ADDED_TO_UNION,
  DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED,
  DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED,
  DangerousChangeType.OPTIONAL_ARG_ADDED,
]);

/** Every change that a client of the released schema could not expect. */
export function unexpectedChanges(
  released: GraphQLSchema,
  present: GraphQLSchema,
): readonly SchemaChange[] {
  return [
    ...findBreakingChanges(released, present),
    ...findDangerousChanges(released, present).filter(({ type }) => !expected.has(type)),
  ];
}
