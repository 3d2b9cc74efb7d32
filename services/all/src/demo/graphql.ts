/** The demo's client: sends what a customer or the staff would, and reads the answers strictly. */
import { z } from 'zod';

import type { Installation } from '../embedded.ts';

const ReplySchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

/** Calls the gateway with a key, as curl would. */
export class GraphqlClient {
  readonly #gateway: Installation['gateway'];
  readonly #key: string;

  constructor(gateway: Installation['gateway'], key: string) {
    this.#gateway = gateway;
    this.#key = key;
  }

  /** Sends a document; the data must fit the schema. Throws with the server's own words. */
  async send<S extends z.ZodType>(
    schema: S,
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<z.output<S>> {
    const response = await this.#gateway.yoga.fetch('http://127.0.0.1/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#key}` },
      body: JSON.stringify({ query, variables }),
    });
    const reply = ReplySchema.parse(await response.json());
    if (reply.errors !== undefined) {
      throw new Error(reply.errors.map((error) => error.message).join('; '));
    }
    return schema.parse(reply.data);
  }
}
