/**
 * All event types a process knows: encodes decided events, decodes stored ones through their
 * upcasters, and checks at start-up that every chain is whole and every field has an audience.
 */
import { audienceOf } from './audience.ts';
import { canonicalBytes } from './canonical.ts';
import type { StoredEvent } from './envelope.ts';
import type { Decided, EventDefinition, Recorded, Upcaster } from './event.ts';

/** A declaration that cannot be used. Thrown at start-up, never later. */
export class EventDeclarationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EventDeclarationError';
  }
}

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

export interface EventRegistry {
  readonly definitions: ReadonlyMap<string, EventDefinition>;
  /** Validates and writes a body once, as canonical JSON, in the version in force. */
  encode(event: Decided): { readonly schemaver: number; readonly data: Uint8Array };
  /**
   * The event in its current version; undefined for a type this process does not know.
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
 * How many events stay decoded. The read models and every service's reactions see the same event
 * within moments of each other; it is decoded and checked once for all of them.
 */
const REMEMBERED = 2048;

/** Builds the registry of the given definitions, or throws an {@link EventDeclarationError}. */
export function eventRegistry(definitions: readonly EventDefinition[]): EventRegistry {
  const byType = new Map<string, EventDefinition>();
  const chains = new Map<string, ReadonlyMap<number, Upcaster>>();
  for (const definition of definitions) {
    const known = byType.get(definition.type);
    if (known === definition) continue;
    if (known !== undefined)
      throw new EventDeclarationError(`${definition.type} is declared twice`);
    if (!/^[a-z]+\.[A-Z][A-Za-z0-9]+$/.test(definition.type)) {
      throw new EventDeclarationError(`${definition.type} is not named <context>.<PastTense>`);
    }
    byType.set(definition.type, definition);
    chains.set(definition.type, checkedChain(definition));
    checkAudiences(definition);
  }

  let sharing = false;
  const remembered = new Map<string, { readonly bytes: Uint8Array; readonly recorded: Recorded }>();
  const recall = (event: StoredEvent): Recorded | undefined => {
    const known = remembered.get(event.id);
    if (known === undefined) return undefined;
    const { recorded, bytes } = known;
    const same =
      recorded.position === event.position &&
      recorded.epoch === event.epoch &&
      recorded.stream === event.stream &&
      recorded.type === event.type &&
      recorded.schemaver === event.schemaver &&
      Buffer.compare(bytes, event.data) === 0;
    return same ? recorded : undefined;
  };
  const remember = (recorded: Recorded, bytes: Uint8Array): void => {
    if (remembered.size >= REMEMBERED) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    // A copy: stores may hand out views of a whole page.
    remembered.set(recorded.id, { recorded, bytes: Uint8Array.from(bytes) });
  };

  return {
    definitions: byType,
    shareDecoded: () => {
      sharing = true;
    },
    encode(event) {
      const definition = byType.get(event.type);
      if (definition === undefined)
        throw new EventDeclarationError(`${event.type} is not declared`);
      return {
        schemaver: definition.version,
        data: canonicalBytes(definition.schema.parse(event.data)),
      };
    },
    decode(event, validate = true) {
      const definition = byType.get(event.type);
      if (definition === undefined) return undefined;
      if (!definition.schemas.has(event.schemaver)) {
        throw new EventDecodeError(
          'unknown-version',
          `${event.type} has version ${event.schemaver}, this build reads up to ${definition.version}: ` +
            `upgrade it (event ${event.id} in ${event.stream} at revision ${event.revision})`,
        );
      }
      const known = validate && sharing ? recall(event) : undefined;
      if (known !== undefined) return known;
      let body = parseBody(event);
      const chain = chains.get(event.type);
      for (let v = event.schemaver; v < definition.version; v++)
        body = chain?.get(v)?.upcast(body) ?? body;
      if (!validate) return { ...event, type: event.type, data: body };
      body = checkedBody(definition, event, body);
      const recorded: Recorded = { ...event, type: event.type, data: body };
      if (sharing) remember(recorded, event.data);
      return recorded;
    },
  };
}

function parseBody(event: StoredEvent): Record<string, unknown> {
  try {
    return JSON.parse(decoder.decode(event.data)) as Record<string, unknown>;
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

/** Every past version has exactly one upcaster, to the next; so there is no gap and no cycle. */
function checkedChain(definition: EventDefinition): ReadonlyMap<number, Upcaster> {
  const { type, version } = definition;
  const chain = new Map<number, Upcaster>();
  for (const upcaster of definition.upcasters) {
    if (upcaster.to !== upcaster.from + 1) {
      throw new EventDeclarationError(
        `${type}: an upcaster leads from version ${upcaster.from} to ${upcaster.to}, not to the next`,
      );
    }
    if (chain.has(upcaster.from)) {
      throw new EventDeclarationError(`${type}: two upcasters start at version ${upcaster.from}`);
    }
    if (upcaster.from < 1 || upcaster.to > version) {
      throw new EventDeclarationError(
        `${type}: an upcaster leads to version ${upcaster.to}, beyond ${version}`,
      );
    }
    chain.set(upcaster.from, upcaster);
  }
  for (let v = 1; v <= version; v++) {
    if (!definition.schemas.has(v))
      throw new EventDeclarationError(`${type}: version ${v} has no schema`);
    if (v < version && !chain.has(v)) {
      throw new EventDeclarationError(`${type}: no upcaster starts at version ${v}`);
    }
  }
  return chain;
}

function checkAudiences(definition: EventDefinition): void {
  for (const [version, schema] of definition.schemas) {
    for (const [name, field] of Object.entries(schema.shape)) {
      if (audienceOf(field) === undefined) {
        throw new EventDeclarationError(
          `${definition.type} v${version}: field ${name} has no audience; wrap it in customer(), reseller(), staff() or auditor()`,
        );
      }
    }
  }
}
