/**
 * All event types a process knows: encodes decided events in the version that is written, decodes
 * stored ones of every version as the newest.
 */
import { canonicalText } from './canonical.ts';
import { DecodedEvents } from './decoded.ts';
import type { StoredEvent } from './envelope.ts';
import type { Decided, EventDefinition, Recorded } from './event.ts';
import {
  checkedVersions,
  downcast,
  EventDeclarationError,
  upcast,
  type Versions,
  writtenVersionProblems,
} from './versions.ts';
import { WrittenBodies } from './written.ts';

/** A stored event this process must not act on. Policies park its home; followers stop. */
export class EventDecodeError extends Error {
  readonly reason: 'unknown-version' | 'invalid-body';
  constructor(
    reason: 'unknown-version' | 'invalid-body',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'EventDecodeError';
    this.reason = reason;
  }
}

/** A body as it goes into the log. */
export interface EncodedBody {
  readonly schemaver: number;
  readonly data: Uint8Array;
}

export interface EventRegistry {
  readonly definitions: ReadonlyMap<string, EventDefinition>;
  /** The version that is written, by type. */
  readonly written: ReadonlyMap<string, number>;
  /** Validates and writes a body once, as canonical JSON, in the version that is written. */
  encode(event: Decided): EncodedBody;
  /**
   * The body of an event just encoded as every reader will see it. It is the decided one, unless an
   * older version was written that cannot say all of it.
   */
  readBack(event: Decided, encoded: EncodedBody): Record<string, unknown>;
  /**
   * The event in its newest version; undefined for a type this process does not know.
   * @param validate check the (upcast) body against its schema; on by default.
   */
  decode(event: StoredEvent, validate?: boolean): Recorded | undefined;
  /**
   * From now on the latest events stay decoded. For live processes, where the read models and every
   * service's reactions see the same event within moments; a replay sees each once and would only pay.
   */
  shareDecoded(): void;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Builds the registry of the given definitions, or throws an {@link EventDeclarationError}.
 *
 * @param written the versions to write instead of those that the definitions say, by type.
 */
export function eventRegistry(
  definitions: readonly EventDefinition[],
  written: ReadonlyMap<string, number> = new Map(),
): EventRegistry {
  const byType = new Map<string, EventDefinition>();
  const versions = new Map<string, Versions>();
  for (const definition of definitions) {
    const known = byType.get(definition.type);
    if (known === definition) continue;
    if (known !== undefined)
      throw new EventDeclarationError(`${definition.type} is declared twice`);
    versions.set(definition.type, checkedVersions(definition));
    byType.set(definition.type, definition);
  }
  const problems = writtenVersionProblems(byType.values(), written);
  if (problems.length > 0) throw new EventDeclarationError(problems.join('; '));
  const writes = new Map(
    [...byType.values()].map(({ type, writes }) => [type, written.get(type) ?? writes]),
  );
  const declared = (type: string): Versions => {
    const known = versions.get(type);
    if (known === undefined) throw new EventDeclarationError(`${type} is not declared`);
    return known;
  };

  /** While decoded events are shared: what this process writes comes back to it within moments. */
  let live: { readonly decoded: DecodedEvents; readonly written: WrittenBodies } | undefined;

  return {
    definitions: byType,
    written: writes,
    shareDecoded: () => {
      live ??= { decoded: new DecodedEvents(), written: new WrittenBodies() };
    },
    encode(event) {
      const known = declared(event.type);
      const { definition } = known;
      const schemaver = writes.get(event.type) ?? definition.version;
      const newest = definition.schema.parse(event.data);
      const body = schemaver === definition.version ? newest : downcast(known, schemaver, newest);
      const text = canonicalText(body);
      if (known.plain && schemaver === definition.version) live?.written.note(event.type, text);
      return { schemaver, data: Buffer.from(text, 'utf8') };
    },
    readBack(event, { schemaver, data }) {
      const known = declared(event.type);
      if (schemaver === known.definition.version) return event.data;
      return known.definition.schema.parse(upcast(known, schemaver, parsedBody(data)));
    },
    decode(event, validate = true) {
      const ofType = versions.get(event.type);
      if (ofType === undefined) return undefined;
      const { definition, plain } = ofType;
      if (!definition.schemas.has(event.schemaver)) {
        throw new EventDecodeError(
          'unknown-version',
          `${event.type} has version ${event.schemaver}, this build reads up to ${definition.version}: ` +
            `upgrade it (event ${event.id} in ${event.stream} at revision ${event.revision})`,
        );
      }
      const known = validate ? live?.decoded.recall(event) : undefined;
      if (known !== undefined) return known;
      const text = textOf(event);
      const body = upcast(ofType, event.schemaver, jsonOf(text, event));
      if (!validate) return { ...event, type: event.type, data: body };
      // Whether it was checked before or now, the same object comes out: in the order of its bytes.
      const asIs = plain && event.schemaver === definition.version;
      const checkedBefore = asIs && live?.written.take(event.type, text) === true;
      const checked = checkedBefore ? body : checkedBody(definition, event, body);
      const recorded: Recorded = { ...event, type: event.type, data: asIs ? body : checked };
      live?.decoded.remember(recorded, event.data);
      return recorded;
    },
  };
}

function parsedBody(data: Uint8Array): Record<string, unknown> {
  return JSON.parse(decoder.decode(data)) as Record<string, unknown>;
}

function textOf(event: Pick<StoredEvent, 'id' | 'data'>): string {
  try {
    return decoder.decode(event.data);
  } catch (cause) {
    throw new EventDecodeError('invalid-body', `the body of event ${event.id} is not UTF-8`, {
      cause,
    });
  }
}

function jsonOf(text: string, event: Pick<StoredEvent, 'id'>): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new EventDecodeError('invalid-body', `the body of event ${event.id} is not JSON`, {
      cause,
    });
  }
}

function checkedBody(
  definition: EventDefinition,
  event: StoredEvent,
  body: Record<string, unknown>,
): Record<string, unknown> {
  const parsed = definition.schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new EventDecodeError(
    'invalid-body',
    `event ${event.id} (${event.type} v${event.schemaver}) does not fit its schema: ${parsed.error.message}`,
  );
}
