/**
 * Inputs by the names their writer gave them: services speak of tenants where the schema says
 * account, and wrap orders and pages. Paths and sentences name the field as it stands in the request.
 */
import type { Refusal } from '@bivouac/events/language';
import { z } from 'zod';

/** One thing that is wrong with an input. */
export interface InputProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * How a service's fields map to the mutation's, by dotted path: `{ 'contact.name': 'contactName' }`.
 * What is not named keeps its name.
 */
export type FieldNames = Readonly<Record<string, string>>;

/** Arguments beside the input. */
const own = new Set(['idempotencyKey', 'expectedVersion']);
const always: FieldNames = { tenantId: 'accountId', planCode: 'plan' };
const wrappers = new Set(['input', 'order', 'page']);

/** A service's path as one of the mutation's arguments. */
export function inputPath(path: readonly string[], names: FieldNames = {}): readonly string[] {
  if (path.length === 1 && own.has(path[0] ?? '')) return path;
  return ['input', ...renamed(path, names)];
}

/** A service's path as an argument of a query's field. */
export function argumentPath(path: readonly string[]): readonly string[] {
  return renamed(path, {});
}

/** Everything that a refusal says is wrong with the input; empty where it lists nothing. */
export function problemsOf(refusal: Refusal): readonly InputProblem[] {
  const listed = refusal.details?.['problems'];
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((problem: unknown) => {
    const parsed = ProblemSchema.safeParse(problem);
    return parsed.success ? [parsed.data] : [];
  });
}

/**
 * The sentence of a refusal with the field as the request has it. A schema's complaint names the
 * service's field; what a domain refuses is said in words of its own, which stay.
 */
export function sentenceOf(refusal: Refusal, path: readonly string[]): string {
  const [first] = problemsOf(refusal);
  if (refusal.code !== 'INVALID_INPUT' || first === undefined) return refusal.message;
  const where = path.length === 0 ? 'The input' : `The field ${path.join('.')}`;
  return `${where} is not accepted: ${first.message}. Correct it and send it again.`;
}

const ProblemSchema = z.object({ path: z.array(z.string()), message: z.string() });

function renamed(path: readonly string[], names: FieldNames): readonly string[] {
  const inner = [...path];
  while (inner[0] !== undefined && wrappers.has(inner[0])) inner.shift();
  // The longest named beginning is replaced, the rest stays: `contact.name` before `contact`.
  for (let length = inner.length; length > 0; length--) {
    const beginning = inner.slice(0, length).join('.');
    const name = names[beginning] ?? always[beginning];
    if (name !== undefined) return [name, ...inner.slice(length)];
  }
  return inner;
}
