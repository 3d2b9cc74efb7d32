// Every contract of every service is answered between processes as in one: what a service says comes
// out of HTTP equal, and what it is asked comes in equal.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type {
  CommandCall,
  CommandContract,
  CommandReply,
  QueryCall,
  QueryContract,
  QueryReply,
  ServiceCaller,
} from '@bivouac/events/language';
import {
  callServices,
  createIdentity,
  openIdentity,
  openTrustedCallers,
  type RemoteServices,
  serveCalls,
} from '@bivouac/infra/calls';
import { createLogger, systemClock, systemPrincipal } from '@bivouac/infra/runtime';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { valuesOf } from './sample-values.ts';
import { allServices } from './services.ts';

const contracts = allServices.flatMap(({ name, commands, queries }) =>
  [...commands, ...queries].map(({ contract }) => ({ service: name, contract })),
);

/** Answers everything with the reply it holds, and keeps what it was asked. */
class Answering implements ServiceCaller {
  reply: unknown;
  asked: { readonly input: unknown; readonly call: CommandCall | QueryCall } | undefined;

  async command(_contract: CommandContract, input: unknown, call: CommandCall) {
    this.asked = { input, call };
    return this.reply as CommandReply<never>;
  }

  async query(_contract: QueryContract, input: unknown, call: QueryCall) {
    this.asked = { input, call };
    return this.reply as QueryReply<never>;
  }
}

const answering = new Answering();
const folder = mkdtempSync(join(tmpdir(), 'bivouac-contracts-'));
const servers: Server[] = [];
let remote: RemoteServices;

beforeAll(async () => {
  const made = await createIdentity({ folder, name: 'gateway' });
  const shared = { clock: systemClock, logger: createLogger('silent') };
  const trusted = await openTrustedCallers(made.trusted);
  const urls = new Map<string, readonly string[]>();
  for (const { name } of allServices) {
    const of = contracts.filter(({ service }) => service === name);
    const calls = serveCalls({
      ...{ ...shared, service: name, caller: answering, trusted },
      contracts: of.map(({ contract }) => contract),
    });
    const server = createServer((request, response) => void calls(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    urls.set(name, [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
  }
  remote = callServices({
    ...{ ...shared, services: urls },
    identity: await openIdentity(made.identity),
  });
});

afterAll(async () => {
  await remote.close();
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

test('a contract’s service is the part of its name before the dot', () => {
  expect(contracts.length).toBeGreaterThan(200);
  for (const { service, contract } of contracts) expect(contract.name.split('.')[0]).toBe(service);
});

const principal = systemPrincipal('system:test', 'ten_1', 'ten_1');
const position = '00000000000000000042';

test.each(contracts.map((one) => [one.contract.name, one.contract] as const))(
  '%s comes and goes unchanged',
  async (_name, contract) => {
    let fitting = 0;
    await fc.assert(
      fc.asyncProperty(
        valuesOf(contract.input),
        valuesOf(contract.result),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        async (input, value, revision) => {
          const result = contract.result.safeParse(value);
          fc.pre(result.success);
          fitting += 1;
          if (contract.kind === 'command') {
            const reply = {
              ...{
                ok: true,
                result: result.data,
                stream: 's-1',
                revision,
                position,
                repeated: false,
              },
            };
            answering.reply = reply;
            const call = { principal, idempotencyKey: 'k' };
            expect(await remote.command(contract, input, call)).toEqual(reply);
            expect(answering.asked?.call).toEqual(call);
          } else {
            const reply = { ok: true, result: result.data, position };
            answering.reply = reply;
            const call = { principal, atLeast: position };
            expect(await remote.query(contract, input, call)).toEqual(reply);
            expect(answering.asked?.call).toEqual(call);
          }
          // What the host makes of it is the same, an input that does not fit included.
          expect(contract.input.safeParse(answering.asked?.input)).toEqual(
            contract.input.safeParse(input),
          );
        },
      ),
      { numRuns: 6, maxSkipsPerRun: 200 },
    );
    expect(fitting).toBeGreaterThan(0);
  },
);
