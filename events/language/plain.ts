/**
 * Plain schemas: those that only say yes or no. What passes one is what it was, so that nothing has
 * to be taken from the schema's output, and what passed once passes again.
 */
import { z } from 'zod';

/**
 * Whether a schema leaves every JSON value it accepts as it is. One that fills in defaults, trims,
 * coerces, drops unknown fields or is of a kind not known here is not plain.
 */
export function isPlain(schema: z.core.$ZodType): boolean {
  if (changes(schema)) return false;
  if (schema instanceof z.core.$ZodObject) {
    const { shape, catchall } = schema._zod.def;
    return catchall instanceof z.core.$ZodNever && Object.values(shape).every(isPlain);
  }
  if (schema instanceof z.core.$ZodArray) return isPlain(schema._zod.def.element);
  if (schema instanceof z.core.$ZodRecord) {
    return isPlain(schema._zod.def.keyType) && isPlain(schema._zod.def.valueType);
  }
  if (schema instanceof z.core.$ZodUnion) return schema._zod.def.options.every(isPlain);
  if (
    schema instanceof z.core.$ZodOptional ||
    schema instanceof z.core.$ZodNullable ||
    schema instanceof z.core.$ZodReadonly
  ) {
    return isPlain(schema._zod.def.innerType);
  }
  return LEAVES.has(schema._zod.def.type);
}

const LEAVES = new Set<z.core.$ZodTypeDef['type']>([
  'string',
  'number',
  'int',
  'boolean',
  'null',
  'literal',
  'enum',
  'unknown',
  'any',
]);

/** Whether the schema itself, whatever is inside it, may answer another value than it was given. */
function changes(schema: z.core.$ZodType): boolean {
  const { def } = schema._zod;
  return (
    ('coerce' in def && def.coerce === true) ||
    // Addresses of pages come out trimmed.
    ('format' in def && def.format === 'url') ||
    (def.checks ?? []).some((check) => check._zod.def.check === 'overwrite')
  );
}
