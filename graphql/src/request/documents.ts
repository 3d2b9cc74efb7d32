/**
 * The documents of requests, each parsed and validated once: programs send the same few again and
 * again. What was refused is remembered like what was accepted.
 */
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  validate,
  type ValidationRule,
} from 'graphql';

import { requestError } from '../errors/request-error.ts';
import { type ShapeLimits, shapeRule } from '../limits/shape.ts';

/** Characters of all remembered documents together: an account cannot fill the memory with them. */
const REMEMBERED_CHARACTERS = 1_000_000;
/** A longer one is checked each time it comes. */
const LONGEST_REMEMBERED = 50_000;

export type CheckedDocument =
  | { readonly ok: true; readonly document: DocumentNode }
  | { readonly ok: false; readonly errors: readonly GraphQLError[] };

export interface DocumentLimits extends ShapeLimits {
  /** Lexical tokens of a document. */
  readonly maxTokens: number;
}

export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #maxTokens: number;
  readonly #rules: readonly ValidationRule[];
  /** By their text, the one asked for longest ago first. */
  readonly #known = new Map<string, CheckedDocument>();
  #characters = 0;

  constructor(schema: GraphQLSchema, limits: DocumentLimits) {
    this.#schema = schema;
    this.#maxTokens = limits.maxTokens;
    this.#rules = [...specifiedRules, shapeRule(limits)];
  }

  /** The document of a text, or every error that refuses it. */
  check(text: string): CheckedDocument {
    const known = this.#known.get(text);
    if (known !== undefined) {
      this.#known.delete(text);
      this.#known.set(text, known);
      return known;
    }
    const checked = this.#check(text);
    if (text.length <= LONGEST_REMEMBERED) this.#remember(text, checked);
    return checked;
  }

  #check(text: string): CheckedDocument {
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: this.#maxTokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return { ok: false, errors: [parseError(error, this.#maxTokens)] };
    }
    const errors = validate(this.#schema, document, this.#rules);
    return errors.length === 0
      ? { ok: true, document }
      : { ok: false, errors: errors.map(validationError) };
  }

  #remember(text: string, checked: CheckedDocument): void {
    this.#known.set(text, checked);
    this.#characters += text.length;
    for (const oldest of this.#known.keys()) {
      if (this.#characters <= REMEMBERED_CHARACTERS) return;
      this.#known.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}

/** Clients of `application/json` expect 200 for what is wrong with a document, others 400. */
const http = { status: 400, spec: true };

function parseError(error: GraphQLError, maxTokens: number): GraphQLError {
  const place = placeOf(error);
  return error.message.includes('tokens. Parsing aborted')
    ? requestError(
        'TOKEN_LIMIT',
        `The document has more than ${maxTokens} tokens; nothing of it was run. Split it.`,
        { limit: maxTokens, http },
        place,
      )
    : requestError('GRAPHQL_PARSE_FAILED', error.message, { http }, place);
}

function validationError(error: GraphQLError): GraphQLError {
  // Ours have a code and say what to do; the others are of the specification's rules.
  return new GraphQLError(error.message, {
    ...placeOf(error),
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', ...error.extensions, http },
  });
}

function placeOf({ nodes, source, positions }: GraphQLError) {
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(source === undefined ? {} : { source }),
    ...(positions === undefined ? {} : { positions }),
  };
}
