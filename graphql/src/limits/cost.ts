/**
 * What a request costs, known before it runs: each object it can make counts once, a list as often
 * as its page is long. The same number is held against the limit and told in `extensions.cost`.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  isObjectType,
  isInterfaceType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

import { isGiven } from '../language/given.ts';
import { DEFAULT_PAGE, MAX_PAGE } from '../language/paging.ts';

type Variables = Readonly<Record<string, unknown>>;

/** What a list without pages is taken to have; a field says otherwise by `extensions.size`. */
const DEFAULT_SIZE = 5;
/** Introspection reads no data, and its depth is limited by a rule of its own. */
const INTROSPECTION_COST = 100;

/** One evaluation: the variables, and the fragments already counted. */
interface Evaluation {
  readonly variables: Variables;
  readonly fragments: Map<FragmentDefinitionNode, number>;
  /** Page length of the connection whose fields are being counted. */
  page: number;
}

type Count = (evaluation: Evaluation) => number;

/** The cost function of an operation of a document; compiled once, as documents are cached. */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Variables | null | undefined,
): number {
  let compiled = cache.get(document);
  if (compiled === undefined) {
    compiled = new Map();
    cache.set(document, compiled);
  }
  const name = operationName ?? '';
  let count = compiled.get(name);
  if (count === undefined) {
    count = compile(schema, document, operationName);
    compiled.set(name, count);
  }
  return count({ variables: variables ?? {}, fragments: new Map(), page: DEFAULT_PAGE });
}

const cache = new WeakMap<DocumentNode, Map<string, Count>>();

function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): Count {
  const fragments = new Map<string, FragmentDefinitionNode>();
  let operation: OperationDefinitionNode | undefined;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    } else if (
      definition.kind === Kind.OPERATION_DEFINITION &&
      (!isGiven(operationName) || definition.name?.value === operationName)
    ) {
      operation ??= definition;
    }
  }
  const root = operation === undefined ? undefined : schema.getRootType(operation.operation);
  if (operation === undefined || !isGiven(root)) return () => 0;
  return new Compiler(schema, fragments, defaultsOf(operation)).selections(
    operation.selectionSet,
    root,
  );
}

class Compiler {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #defaults: Variables;
  readonly #counts = new Map<FragmentDefinitionNode, Count>();

  constructor(
    schema: GraphQLSchema,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    defaults: Variables,
  ) {
    this.#schema = schema;
    this.#fragments = fragments;
    this.#defaults = defaults;
  }

  selections(set: SelectionSetNode, parent: GraphQLCompositeType): Count {
    const counts: Count[] = [];
    for (const selection of set.selections) {
      switch (selection.kind) {
        case Kind.FIELD: {
          const count = this.field(selection, parent);
          if (count !== undefined) counts.push(count);
          break;
        }
        case Kind.INLINE_FRAGMENT: {
          const type = selection.typeCondition;
          counts.push(
            this.selections(
              selection.selectionSet,
              type === undefined ? parent : this.composite(type.name.value, parent),
            ),
          );
          break;
        }
        case Kind.FRAGMENT_SPREAD: {
          const fragment = this.#fragments.get(selection.name.value);
          if (fragment !== undefined) counts.push(this.fragment(fragment, parent));
          break;
        }
      }
    }
    return (evaluation) => {
      let sum = 0;
      for (const count of counts) sum += count(evaluation);
      return sum;
    };
  }

  /** A fragment is counted once per evaluation: spreading it often must not take time. */
  fragment(fragment: FragmentDefinitionNode, parent: GraphQLCompositeType): Count {
    const known = this.#counts.get(fragment);
    if (known !== undefined) return known;
    let inner: Count = () => 0;
    const count: Count = (evaluation) => {
      const before = evaluation.fragments.get(fragment);
      if (before !== undefined) return before;
      const sum = inner(evaluation);
      // Within a connection the same fragment may stand for pages of another length.
      if (!fragmentSeesPage(fragment)) evaluation.fragments.set(fragment, sum);
      return sum;
    };
    this.#counts.set(fragment, count);
    inner = this.selections(
      fragment.selectionSet,
      this.composite(fragment.typeCondition.name.value, parent),
    );
    return count;
  }

  field(node: FieldNode, parent: GraphQLCompositeType): Count | undefined {
    const name = node.name.value;
    if (name === '__schema' || name === '__type') return () => INTROSPECTION_COST;
    if (!isObjectType(parent) && !isInterfaceType(parent)) return undefined;
    const field = parent.getFields()[name];
    const type = field === undefined ? undefined : getNamedType(field.type);
    if (field === undefined || !isCompositeType(type)) return undefined;
    const children =
      node.selectionSet === undefined ? () => 0 : this.selections(node.selectionSet, type);
    const base = numberOf(field.extensions['cost'], 1);
    const pageOf = this.pageOf(node, field);
    if (pageOf !== undefined) {
      return (evaluation) => {
        const { page } = evaluation;
        evaluation.page = pageOf(evaluation.variables);
        const sum = base + children(evaluation);
        evaluation.page = page;
        return sum;
      };
    }
    if (!isListType(getNullableType(field.type)))
      return (evaluation) => base + children(evaluation);
    if (isPageOfConnection(field, parent)) {
      return (evaluation) => evaluation.page * (base + children(evaluation));
    }
    const size = numberOf(field.extensions['size'], DEFAULT_SIZE);
    return (evaluation) => size * (base + children(evaluation));
  }

  /** For fields that page: how long the page asked for is. What is too long is refused anyway. */
  pageOf(
    node: FieldNode,
    field: GraphQLField<unknown, unknown>,
  ): ((variables: Variables) => number) | undefined {
    if (!field.args.some((arg) => arg.name === 'first')) return undefined;
    const given = (node.arguments ?? []).filter(
      (argument) => argument.name.value === 'first' || argument.name.value === 'last',
    );
    return (variables) => {
      for (const { value } of given) {
        const length = this.valueOf(value, variables);
        if (length !== undefined) return Math.min(Math.max(length, 1), MAX_PAGE);
      }
      return DEFAULT_PAGE;
    };
  }

  valueOf(value: ValueNode, variables: Variables): number | undefined {
    const raw =
      value.kind === Kind.INT
        ? Number(value.value)
        : value.kind === Kind.VARIABLE
          ? (variables[value.name.value] ?? this.#defaults[value.name.value])
          : undefined;
    return typeof raw === 'number' && Number.isFinite(raw) ? raw : undefined;
  }

  composite(name: string, parent: GraphQLCompositeType): GraphQLCompositeType {
    const type = this.#schema.getType(name);
    return isCompositeType(type) ? type : parent;
  }
}

/** `edges` of a connection: as many as the page is long. */
function isPageOfConnection(
  field: GraphQLField<unknown, unknown>,
  parent: GraphQLCompositeType,
): boolean {
  return field.name === 'edges' && parent.name.endsWith('Connection');
}

function fragmentSeesPage(fragment: FragmentDefinitionNode): boolean {
  return fragment.typeCondition.name.value.endsWith('Connection');
}

function defaultsOf(operation: OperationDefinitionNode): Variables {
  const defaults: Record<string, unknown> = {};
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue?.kind === Kind.INT) defaults[variable.name.value] = Number(defaultValue.value);
  }
  return defaults;
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
