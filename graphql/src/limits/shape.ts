/** A validation rule: how deep a request may go and how many aliases it may use. */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

import { requestError } from '../errors/request-error.ts';

export interface ShapeLimits {
  /** Fields within fields. */
  readonly maxDepth: number;
  /** Aliased fields in one operation, those of fragments counted wherever they are spread. */
  readonly maxAliases: number;
}

interface Shape {
  readonly depth: number;
  readonly aliases: number;
}

/** The rule for the given limits. Introspection has a depth rule of its own in graphql-js. */
export function shapeRule({ maxDepth, maxAliases }: ShapeLimits): ValidationRule {
  return function ShapeRule(context: ValidationContext) {
    return {
      Document(document) {
        const measure = measurer(document);
        for (const definition of document.definitions) {
          if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
          const { depth, aliases } = measure(definition.selectionSet);
          if (depth > maxDepth) {
            context.reportError(
              requestError(
                'DEPTH_LIMIT',
                `The request is ${depth} fields deep; at most ${maxDepth} are answered. Split it.`,
                { depth, limit: maxDepth },
                { nodes: definition },
              ),
            );
          }
          if (aliases > maxAliases) {
            context.reportError(
              requestError(
                'ALIAS_LIMIT',
                `The request has ${aliases} aliases; at most ${maxAliases} are answered. Split it.`,
                { aliases, limit: maxAliases },
                { nodes: definition },
              ),
            );
          }
        }
      },
    };
  };
}

function measurer(document: DocumentNode): (set: SelectionSetNode) => Shape {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  // Measured once each, so that spreading fragments in fragments takes no time. A fragment within
  // itself is another rule's business; it counts as nothing here.
  const known = new Map<string, Shape>();
  const nothing: Shape = { depth: 0, aliases: 0 };

  const measure = (set: SelectionSetNode): Shape => {
    let depth = 0;
    let aliases = 0;
    for (const selection of set.selections) {
      let inner = nothing;
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        if (selection.alias !== undefined) aliases += 1;
        if (name === '__schema' || name === '__type') continue;
        const children =
          selection.selectionSet === undefined ? nothing : measure(selection.selectionSet);
        inner = { depth: children.depth + 1, aliases: children.aliases };
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        inner = measure(selection.selectionSet);
      } else {
        inner = spread(selection.name.value);
      }
      depth = Math.max(depth, inner.depth);
      aliases += inner.aliases;
    }
    return { depth, aliases };
  };

  const spread = (name: string): Shape => {
    const before = known.get(name);
    if (before !== undefined) return before;
    known.set(name, nothing);
    const fragment = fragments.get(name);
    const shape = fragment === undefined ? nothing : measure(fragment.selectionSet);
    known.set(name, shape);
    return shape;
  };

  return measure;
}
