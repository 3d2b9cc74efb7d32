/**
 * The versions of an event type: the chain that leads from each to the next and back, and which one
 * is written. What is wrong with a declaration or a setting is found here, at start-up.
 */
import { audienceOf } from './audience.ts';
import type { EventDefinition, Upcaster } from './event.ts';
import { isPlain } from './plain.ts';

/** A declaration or setting that cannot be used. Thrown at start-up, never later. */
export class EventDeclarationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EventDeclarationError';
  }
}

/** A definition that was checked, with what leads from one version to the next. */
export interface Versions {
  readonly definition: EventDefinition;
  /** By the version it starts at. */
  readonly chain: ReadonlyMap<number, Upcaster>;
  /** The newest schema is plain: see {@link isPlain}. */
  readonly plain: boolean;
}

/** Checks a declaration: every chain whole, every field with an audience, what is written writable. */
export function checkedVersions(definition: EventDefinition): Versions {
  if (!/^[a-z]+\.[A-Z][A-Za-z0-9]+$/.test(definition.type)) {
    throw new EventDeclarationError(`${definition.type} is not named <context>.<PastTense>`);
  }
  const versions = {
    definition,
    chain: checkedChain(definition),
    plain: isPlain(definition.schema),
  };
  checkAudiences(definition);
  const problem = unwritable(versions, definition.writes);
  if (problem !== undefined) throw new EventDeclarationError(problem);
  return versions;
}

/**
 * What is wrong with writing these versions, a sentence each: types that are not declared, versions
 * that this release does not know, versions that nothing leads back to.
 *
 * @param written by type; the others are written as their definitions say.
 */
export function writtenVersionProblems(
  definitions: Iterable<EventDefinition>,
  written: ReadonlyMap<string, number>,
): readonly string[] {
  const byType = new Map([...definitions].map((definition) => [definition.type, definition]));
  return [...written].flatMap(([type, version]) => {
    const definition = byType.get(type);
    if (definition === undefined) return [`${type} is no event type of this release`];
    return unwritable({ definition, chain: checkedChain(definition) }, version) ?? [];
  });
}

/** A body of one version as the newest. Pure: the body given is left as it is. */
export function upcast(
  { definition, chain }: Versions,
  from: number,
  body: Record<string, unknown>,
): Record<string, unknown> {
  let newest = body;
  for (let v = from; v < definition.version; v++) newest = chain.get(v)?.upcast(newest) ?? newest;
  return newest;
}

/** A body of the newest version as an older one, checked against that one's schema. */
export function downcast(
  { definition, chain }: Versions,
  to: number,
  body: Record<string, unknown>,
): Record<string, unknown> {
  let older = body;
  for (let v = definition.version; v > to; v--)
    older = chain.get(v - 1)?.downcast?.(older) ?? older;
  const schema = definition.schemas.get(to);
  if (schema === undefined) throw new EventDeclarationError(unknownVersion(definition, to));
  return schema.parse(older);
}

function unwritable(
  { definition, chain }: Pick<Versions, 'definition' | 'chain'>,
  written: number,
): string | undefined {
  const { type, version, schemas } = definition;
  if (!schemas.has(written)) return unknownVersion(definition, written);
  for (let v = version; v > written; v--) {
    if (chain.get(v - 1)?.downcast === undefined) {
      return `${type} cannot be written as version ${written}: no downcast leads from version ${v} to ${v - 1}`;
    }
  }
  return undefined;
}

function unknownVersion({ type, version }: EventDefinition, asked: number): string {
  const known = version === 1 ? 'only 1' : `1 to ${version}`;
  return `${type} has no version ${asked} in this release, which knows ${known}`;
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
