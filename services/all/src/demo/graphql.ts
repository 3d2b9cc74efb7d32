/** The demo's client: sends what a customer or the staff would, and reads the answers strictly. */
import { z } from 'zod';

import type { Installation } from '../installation.ts';

const ReplySchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

const ResultSchema = z.object({
  __typename: z.string(),
  operationId: z.string().optional(),
  accountId: z.string().optional(),
  memberId: z.string().optional(),
  key: z.string().nullish(),
  invitationId: z.string().optional(),
  token: z.string().nullish(),
  code: z.string().optional(),
  message: z.string().optional(),
});

const RightsSchema = z.object({
  data: z.object({ viewer: z.object({ rights: z.array(z.string()) }) }),
});

/** What a mutation answered; `code` and `message` are those of an error. */
export type Result = z.output<typeof ResultSchema>;

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
    const response = await this.#post(query, variables);
    const reply = ReplySchema.parse(await response.json());
    if (reply.errors !== undefined) {
      throw new Error(reply.errors.map((error) => error.message).join('; '));
    }
    return schema.parse(reply.data);
  }

  /** What the key may do; undefined where it lets nobody in. */
  async rights(): Promise<readonly string[] | undefined> {
    const response = await this.#post('{ viewer { rights } }', {});
    if (response.status === 401) return undefined;
    return RightsSchema.parse(await response.json()).data.viewer.rights;
  }

  /** The id of the key itself. */
  async keyId(): Promise<string> {
    const schema = z.object({ viewer: z.object({ keyId: z.string() }) });
    return (await this.send(schema, '{ viewer { keyId } }')).viewer.keyId;
  }

  /**
   * A mutation by its name, under an idempotency key.
   *
   * @param select what is asked of its payload, e.g. `... on MemberAdded { memberId }`.
   */
  async mutate(
    name: string,
    input: Readonly<Record<string, unknown>>,
    key: string,
    select = '',
  ): Promise<Result> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const { done } = await this.send(
      z.object({ done: ResultSchema }),
      `mutation ($key: String!, $input: ${type}!) { done: ${name}(idempotencyKey: $key, input: $input) {
        __typename ... on UserError { code message } ${select} } }`,
      { key, input },
    );
    return done;
  }

  async #post(query: string, variables: Record<string, unknown>): Promise<Response> {
    return this.#gateway.yoga.fetch('http://127.0.0.1/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#key}` },
      body: JSON.stringify({ query, variables }),
    });
  }
}
