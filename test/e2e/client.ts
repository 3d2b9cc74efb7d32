/**
 * A user of the gateway, as curl would be one: documents in, the whole answer out, with every
 * mutation's result or error as data.
 */
import { z } from 'zod';

/** Sends a request to wherever the gateway is. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

const ReplySchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        extensions: z.object({ code: z.string() }).loose().optional(),
      }),
    )
    .optional(),
});

const ResultSchema = z.object({
  __typename: z.string(),
  position: z.string().nullish(),
  repeated: z.boolean().optional(),
  operationId: z.string().optional(),
  accountId: z.string().optional(),
  memberId: z.string().optional(),
  holdId: z.string().nullish(),
  keyId: z.string().optional(),
  key: z.string().nullish(),
  imageId: z.string().optional(),
  invitationId: z.string().optional(),
  token: z.string().nullish(),
  actingId: z.string().optional(),
  repositoryId: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  path: z.array(z.string()).nullish(),
});
/** What a mutation answered, with the fields of all payloads and errors in one. */
export type Result = z.output<typeof ResultSchema>;

export interface Reply {
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly { readonly message: string; readonly code: string }[];
}

/** Mutations that order an operation. */
export const orders = [
  'provisionContainer',
  'suspendContainer',
  'resumeContainer',
  'terminateContainer',
  'cancelContainer',
  'startContainer',
  'stopContainer',
  'restartContainer',
  'freezeContainer',
  'thawContainer',
  'deleteContainer',
  'restoreContainer',
  'addAddresses',
  'removeAddress',
  'resizeContainer',
  'purgeContainer',
  'closeMonth',
  'runMonth',
  'cancelOperation',
  'installPackages',
  'upgradePackages',
  'removePackages',
  'refreshPackages',
  'retryOperation',
  'resolveOperation',
  'releaseOperation',
] as const;

/** Fields of payloads beyond those all have. */
const payloads: Readonly<Record<string, string>> = {
  ...Object.fromEntries(orders.map((name) => [name, '... on OperationAccepted { operationId }'])),
  createCustomer: '... on CustomerCreated { accountId }',
  addMember: '... on MemberAdded { memberId }',
  placeHold: '... on HoldPlaced { holdId }',
  createApiKey: '... on ApiKeyCreated { keyId key }',
  rotateApiKey: '... on ApiKeyRotated { keyId key }',
  createTenant: '... on TenantCreated { accountId }',
  inviteMember: '... on MemberInvited { invitationId token }',
  acceptInvitation: '... on InvitationAccepted { memberId keyId key }',
  startActing: '... on ActingStarted { actingId }',
  draftImage: '... on ImageDrafted { imageId }',
  registerRepository: '... on RepositoryChanged { repositoryId }',
};

let clients = 0;

export class Client {
  /** Wishes of two clients are two, also where both are the same member's. */
  readonly #name = `client ${++clients}`;
  readonly #send: Send;
  readonly #headers: Record<string, string>;
  readonly #url: string;
  #keys = 0;

  constructor(
    send: Send,
    key: string | undefined,
    url = 'http://127.0.0.1/graphql',
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.#send = send;
    this.#url = url;
    this.#headers = {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    };
  }

  /** The whole answer. */
  async ask(query: string, variables: Record<string, unknown> = {}): Promise<Reply> {
    const response = await this.#send(this.#url, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = ReplySchema.parse(await response.json());
    return {
      status: response.status,
      data: data ?? null,
      errors: (errors ?? []).map(({ message, extensions }) => ({
        message,
        code: extensions?.code ?? '',
      })),
    };
  }

  /** The data, which must be without errors and fit the schema. */
  async read<S extends z.ZodType>(
    schema: S,
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<z.output<S>> {
    const { data, errors } = await this.ask(query, variables);
    if (errors.length > 0) throw new Error(errors.map((e) => `${e.code} ${e.message}`).join('; '));
    return schema.parse(data);
  }

  /** A mutation by its name; a new idempotencyKey unless one is given. */
  async mutate(name: string, input: Record<string, unknown>, key?: string): Promise<Result> {
    this.#keys += 1;
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const { done } = await this.read(
      z.object({ done: ResultSchema }),
      `mutation ($key: String!, $input: ${type}!) {
        done: ${name}(idempotencyKey: $key, input: $input) {
          __typename
          ... on MutationPayload { position repeated }
          ... on UserError { code message path }
          ${payloads[name] ?? ''}
        }
      }`,
      { key: key ?? `${this.#name}, ${this.#keys}`, input },
    );
    return done;
  }
}
