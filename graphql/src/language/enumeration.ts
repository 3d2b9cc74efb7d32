/** Enums of the schema from the words the services use: `add-address` is `ADD_ADDRESS`. */
import { builder } from './builder.ts';

/**
 * Declares an enum.
 *
 * @param values the services' words with what each means.
 */
export function enumeration<const W extends string>(
  name: string,
  description: string,
  values: Readonly<Record<W, string>>,
) {
  const entries = Object.entries<string>(values).map(([word, meaning]): [string, Value<W>] => [
    word.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_'),
    { value: word as W, description: meaning },
  ]);
  return builder.enumType(name, {
    description,
    values: Object.fromEntries(entries),
  });
}

interface Value<W> {
  readonly value: W;
  readonly description: string;
}
