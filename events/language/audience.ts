/**
 * Who may see a field of an event. Each top-level field of every event body says so; the registry
 * refuses a schema with a field that does not.
 */
import { z } from 'zod';

/** From the widest to the narrowest. An auditor sees everything. */
export type Audience = 'customer' | 'reseller' | 'staff' | 'auditor';

const order: readonly Audience[] = ['customer', 'reseller', 'staff', 'auditor'];

export const AudienceSchema = z.enum(['customer', 'reseller', 'staff', 'auditor']);

const audiences = z.registry<{ audience: Audience }>();

function wrap(audience: Audience) {
  return <S extends z.ZodType>(schema: S): S => {
    // A clone of its own, so that one shared schema can have another audience elsewhere.
    const own = schema.clone();
    audiences.add(own, { audience });
    return own;
  };
}

/** Everyone concerned may see it: the tenant, those above it, staff, auditors. */
export const customer = wrap('customer');
/** Resellers, staff and auditors. */
export const reseller = wrap('reseller');
/** The provider's staff and auditors. */
export const staff = wrap('staff');
/** Auditors only. */
export const auditor = wrap('auditor');

/** The audience of a field's schema (or of what it makes optional), or undefined where none was declared. */
export function audienceOf(schema: z.core.$ZodType): Audience | undefined {
  const own = audiences.get(schema)?.audience;
  if (own !== undefined) return own;
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? audienceOf(schema.unwrap())
    : undefined;
}

/** Whether a viewer of one audience may see what is meant for another. */
export function mayRead(viewer: Audience, field: Audience): boolean {
  return order.indexOf(viewer) >= order.indexOf(field);
}

/** The fields of a body that a viewer may see. */
export function visibleFields(
  schema: z.ZodObject<z.core.$ZodShape>,
  body: Readonly<Record<string, unknown>>,
  viewer: Audience,
): Record<string, unknown> {
  const visible: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    const audience = audienceOf(field);
    if (audience !== undefined && mayRead(viewer, audience) && name in body) {
      visible[name] = body[name];
    }
  }
  return visible;
}
