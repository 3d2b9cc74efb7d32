/** Small contracts, identities and a service that says what it was asked: for the tests of calls. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  command,
  type CommandCall,
  type CommandReply,
  type Principal,
  query,
  type QueryCall,
  type QueryReply,
  type ServiceCaller,
} from '@bivouac/events/language';
import { z } from 'zod';

import { createIdentity, type NewIdentity } from './new-identity.ts';

export const Add = command({
  name: 'samples.Add',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ accountId: z.string(), amount: z.int().default(1) }),
  result: z.strictObject({ total: z.int(), note: z.string().optional() }),
});
export const Totals = query({
  name: 'samples.Totals',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ accountId: z.string() }),
  result: z.object({ totals: z.array(z.strictObject({ total: z.int() })) }).nullable(),
});

export const principal: Principal = {
  id: 'key_1',
  kind: 'key',
  memberId: 'mem_1',
  tenantId: 'ten_1',
  homeId: 'ten_1',
  reach: new Set(['ten_1', 'ten_2']),
  rights: new Set(['account.read', 'containers.order']),
  audience: 'customer',
};

/** What a sample service was asked, in order. */
export interface Asked {
  readonly contract: string;
  readonly input: unknown;
  readonly call: CommandCall | QueryCall;
}

/** A service that notes what it is asked and answers as it is told. */
export class SampleService implements ServiceCaller {
  readonly asked: Asked[] = [];
  onCommand: (asked: Asked) => Promise<CommandReply<unknown>> = () =>
    Promise.resolve({
      ok: true,
      result: { total: this.asked.length },
      stream: 'samples-1',
      revision: BigInt(this.asked.length),
      position: '00000000000000000001',
      repeated: false,
    });
  onQuery: (asked: Asked) => Promise<QueryReply<unknown>> = () =>
    Promise.resolve({ ok: true, result: { totals: [] }, position: null });

  async command(contract: { readonly name: string }, input: unknown, call: CommandCall) {
    const asked = { contract: contract.name, input, call };
    this.asked.push(asked);
    return (await this.onCommand(asked)) as CommandReply<never>;
  }

  async query(contract: { readonly name: string }, input: unknown, call: QueryCall) {
    const asked = { contract: contract.name, input, call };
    this.asked.push(asked);
    return (await this.onQuery(asked)) as QueryReply<never>;
  }
}

/** Servers and folders of one test, ended together. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'bivouac-calls-'));
  readonly #ends: (() => Promise<void> | void)[] = [];

  #gateway: Promise<NewIdentity> | undefined;

  /** The gateway's identity and the file that trusts it. */
  trustedFile(): Promise<NewIdentity> {
    return (this.#gateway ??= createIdentity({ folder: this.folder, name: 'gateway' }));
  }

  /** Listens on a free port; answers the base URL. */
  async listen(listener: RequestListener, port = 0): Promise<{ url: string; server: Server }> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.onEnd(
      () =>
        new Promise((resolve) => {
          server.close(() => {
            resolve();
          });
          server.closeAllConnections();
        }),
    );
    const { port: bound } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${bound}`, server };
  }

  onEnd(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
