/** GraphQL says null or nothing for what was not given; services take what is there and no more. */

/** Whether a value was given. */
export function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** The fields that were given. */
export function given<T extends object>(
  fields: T,
): { readonly [K in keyof T]?: Exclude<T[K], null | undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isGiven(value))) as {
    [K in keyof T]?: Exclude<T[K], null | undefined>;
  };
}
