/**
 * The small world a run orders in: few customers with tight limits, two plans, one image, few
 * addresses. Every command has a fixed key, so a set-up that was killed is carried on.
 */
import { CreateCustomer } from '@bivouac/accounts/api';
import { TenantCreated } from '@bivouac/events/accounts';
import { LOCATION } from '@bivouac/all';
import { DefinePlan } from '@bivouac/billing/api';
import { PublishImage, RegisterImage, RegisterRange, TestImage } from '@bivouac/containers/api';
import type { CommandContract } from '@bivouac/events/language';
import { deriveId, uuidOf } from '@bivouac/events/values';
import type { EventStore } from '@bivouac/infra/event-store';
import { type Host, systemPrincipal } from '@bivouac/infra/runtime';
import { SetLimit } from '@bivouac/quotas/api';
import type { z } from 'zod';

import { RecordPackageList } from '../../../services/packages/src/api/index.ts';
import type { Tenant, World } from './messages.ts';
import type { RunSettings } from './settings.ts';

const GIB = 1024n ** 3n;
const DIGEST = 'ab'.repeat(32);

/** The plans by code; one takes a quarter of the other's memory and one address less. */
export const PLANS = {
  small: { memory: GIB / 2n, disk: GIB, addresses: 1 },
  large: { memory: 2n * GIB, disk: 4n * GIB, addresses: 2 },
} as const;

/** Makes what is not there yet. Throws where a command is refused: nothing here can be. */
export async function makeWorld(
  host: Host,
  store: EventStore,
  provider: Tenant,
  settings: Pick<RunSettings, 'customers' | 'ranges'>,
): Promise<World> {
  const principal = systemPrincipal('system:faults', provider.tenantId, provider.homeId);
  const run = async <I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    idempotencyKey: string,
  ): Promise<z.output<R>> => {
    const reply = await host.command(contract, input, { principal, idempotencyKey });
    if (!reply.ok) throw new Error(`${idempotencyKey}: ${reply.refusal.message}`);
    return reply.result;
  };

  const customers: Tenant[] = [];
  for (const [i, { name }] of settings.customers.entries()) {
    const contact = { email: `customer${i}@example.com` };
    customers.push(await run(CreateCustomer, { name, contact }, `customer ${i}`));
  }
  // Some have accounts below them: their own customers.
  const below: Tenant[] = [];
  for (const [i, customer] of customers.entries()) {
    if (settings.customers[i]?.below === true) {
      below.push(await openBelow(host, store, customer, `Below ${i + 1}`));
    }
  }
  // Their ledgers open with them.
  await host.settled();
  for (const [i, { containers, addresses, memoryGiB }] of settings.customers.entries()) {
    const customer = customers[i];
    if (customer === undefined) continue;
    const limit = {
      containers,
      cpuMillis: 1_000_000,
      memoryBytes: (BigInt(memoryGiB) * GIB).toString(),
      diskBytes: (1000n * GIB).toString(),
      addresses,
    };
    await run(SetLimit, { ...customer, limit, reason: 'small' }, `limit ${i}`);
  }
  for (const [i, tenant] of below.entries()) {
    // Its own limit is tighter than those above it, or it has none.
    const limit = { containers: 2, cpuMillis: 1_000_000, memoryBytes: (3n * GIB).toString() };
    const rest = { diskBytes: (1000n * GIB).toString(), addresses: 5 };
    const whole = i % 2 === 0 ? { ...limit, ...rest } : null;
    await run(SetLimit, { ...tenant, limit: whole, reason: 'below' }, `limit below ${i}`);
  }
  for (const [code, { memory, disk, addresses }] of Object.entries(PLANS)) {
    const limits = {
      cpuMillis: 500,
      memoryBytes: memory.toString(),
      diskBytes: disk.toString(),
      processes: 100,
      cpuUnits: 1000,
    };
    const price = (amount: string) => ({ amount, currency: 'EUR' });
    await run(
      DefinePlan,
      {
        ...{ code, name: code, limits, includedAddresses: addresses },
        ...{ monthly: price('10.00'), setup: price('5.00'), extraAddressMonthly: price('2.00') },
      },
      `plan ${code}`,
    );
  }
  const bash = { name: 'bash', epoch: 0, version: '5.1', release: '9', arch: 'x86_64' };
  const { inventory } = await run(RecordPackageList, { packages: [bash] }, 'packages');
  const { imageId } = await run(
    RegisterImage,
    { name: 'skel', digest: DIGEST, source: 'builtin:skel', inventory, services: [] },
    'image',
  );
  const technician = deriveId('member', 'technician');
  const checks = [{ name: 'boots', passed: true }];
  await run(TestImage, { imageId, technician, checks }, 'image test');
  await run(PublishImage, { imageId }, 'image publication');
  for (const { cidr, coolDownSeconds } of settings.ranges) {
    await run(RegisterRange, { cidr, location: LOCATION, coolDownSeconds }, `range ${cidr}`);
  }
  await host.settled();
  return { provider, customers: [...customers, ...below], imageId };
}

/** An account below a customer, recorded as its tree would; of one that is there: nothing happens. */
async function openBelow(
  host: Host,
  store: EventStore,
  above: Tenant,
  name: string,
): Promise<Tenant> {
  const { homeId } = above;
  const tenantId = deriveId('tenant', above.tenantId, name);
  const stream = `tree-${homeId}`;
  const page = await store.readStream(stream, { limit: 1000 });
  const events = page.exists ? page.events : [];
  const known = events.some((stored) => stored.tenantid === tenantId);
  const last = events.at(-1);
  if (last === undefined) throw new Error(`${above.tenantId} has no tree`);
  if (!known) {
    const facts = { tenantId, homeId, parentId: above.tenantId, name, contact: null };
    const encoded = host.registry.encode(TenantCreated({ ...facts, kind: 'sub-account' }));
    const key = uuidOf(tenantId);
    await store.append(stream, last.revision, [
      {
        ...{ ...encoded, id: uuidOf(key, '0'), type: TenantCreated.type, time: last.time },
        ...{ tenantid: tenantId, homeid: homeId, actorid: 'system:faults', inputhash: '' },
        ...{ correlationid: key, causationid: key, commandkey: key },
      },
    ]);
  }
  return { tenantId, homeId };
}
