/**
 * Fills an empty installation with what a first order needs: plans, a published image, an address
 * pool, a customer. Every command has a fixed key, so a seeding that was cut short is carried on.
 */
import { AddMember, CreateApiKey, CreateCustomer } from '@bivouac/accounts/api';
import { DefinePlan } from '@bivouac/billing/api';
import { PublishImage, RegisterImage, RegisterRange, TestImage } from '@bivouac/containers/api';
import type { CommandReply, CommandContract } from '@bivouac/events/language';
import { RuntimeError, systemPrincipal } from '@bivouac/infra/runtime';
import { RecordPackageList } from '@bivouac/packages/api';
import { SetLimit } from '@bivouac/quotas/api';
import type { z } from 'zod';

import type { Services } from '../installation.ts';
import { LOCATION } from '../nodes.ts';
import { skelDigest, skelPackages, skelServices } from './skel.ts';

export interface Seeded {
  readonly provider: { readonly tenantId: string; readonly homeId: string };
  readonly customer: { readonly tenantId: string; readonly homeId: string };
  readonly imageId: string;
  readonly rangeId: string;
  /** The provider's technician, who holds the staff key. */
  readonly staffMemberId: string;
  /** The customer's owner. */
  readonly ownerMemberId: string;
}

const GIB = 1024n ** 3n;

/** The plans of the demo catalog; prices in EUR. */
const plans = [
  {
    code: 'basic',
    name: 'Basic',
    monthly: '10.00',
    cpuMillis: 500,
    memory: GIB / 2n,
    disk: 2n * GIB,
    processes: 120,
    cpuUnits: 500,
  },
  {
    code: '1000',
    name: '1000',
    monthly: '20.00',
    cpuMillis: 1000,
    memory: GIB,
    disk: 4n * GIB,
    processes: 240,
    cpuUnits: 1000,
  },
  {
    code: '2000',
    name: '2000',
    monthly: '40.00',
    cpuMillis: 2000,
    memory: 2n * GIB,
    disk: 8n * GIB,
    processes: 480,
    cpuUnits: 2000,
  },
] as const;

/** What the demo customer may have in all. */
const customerLimit = {
  containers: 100,
  cpuMillis: 200_000,
  memoryBytes: (200n * GIB).toString(),
  diskBytes: (4000n * GIB).toString(),
  addresses: 200,
};

/** Runs every step, or finds it done. Throws a RuntimeError that names the step that was refused. */
export async function seed(
  host: Pick<Services, 'command' | 'settled'>,
  provider: Seeded['provider'],
): Promise<Seeded> {
  const run = runner(host, provider);
  const customer = await run('customer', CreateCustomer, {
    name: 'Demo Customer',
    contact: { email: 'owner@customer.example', name: 'Olga Owner' },
  });
  const staff = await run('staff member', AddMember, {
    ...provider,
    email: 'technician@provider.example',
    name: 'Tom Technician',
    role: 'staff',
  });
  const owner = await run('customer member', AddMember, {
    ...customer,
    email: 'owner@customer.example',
    name: 'Olga Owner',
    role: 'owner',
  });
  await host.settled();
  await run('limit', SetLimit, { ...customer, limit: customerLimit, reason: 'demo customer' });
  for (const plan of plans) {
    await run(`plan ${plan.code}`, DefinePlan, {
      code: plan.code,
      name: plan.name,
      limits: {
        cpuMillis: plan.cpuMillis,
        memoryBytes: plan.memory.toString(),
        diskBytes: plan.disk.toString(),
        processes: plan.processes,
        cpuUnits: plan.cpuUnits,
      },
      includedAddresses: 1,
      monthly: { amount: plan.monthly, currency: 'EUR' },
      setup: { amount: '10.00', currency: 'EUR' },
      extraAddressMonthly: { amount: '2.00', currency: 'EUR' },
    });
  }
  const { inventory } = await run('package list', RecordPackageList, { packages: skelPackages });
  const { imageId } = await run('image', RegisterImage, {
    name: 'skel',
    digest: skelDigest,
    source: 'builtin:skel',
    inventory,
    services: skelServices,
  });
  await run('image test', TestImage, {
    imageId,
    technician: staff.memberId,
    checks: [
      { name: 'boots and halts', passed: true },
      { name: 'web, mail, FTP and SSH answer', passed: true },
      { name: 'RPM database verifies', passed: true },
    ],
  });
  await run('image publication', PublishImage, { imageId });
  const { rangeId } = await run('address range', RegisterRange, {
    cidr: '10.88.16.0/20',
    location: LOCATION,
  });
  await host.settled();
  return {
    provider,
    customer,
    imageId,
    rangeId,
    staffMemberId: staff.memberId,
    ownerMemberId: owner.memberId,
  };
}

/** A new API key of a member; it can be read here and never again. */
export async function newKey(
  host: Pick<Services, 'command'>,
  tenant: Seeded['provider'],
  memberId: string,
  label: string,
  idempotencyKey: string,
): Promise<string> {
  const reply = await host.command(
    CreateApiKey,
    { ...tenant, memberId, label },
    { principal: systemPrincipal('system:seed', tenant.tenantId, tenant.homeId), idempotencyKey },
  );
  if (!reply.ok || reply.result.key === null) {
    throw new RuntimeError(
      'misconfigured',
      `The key ${label} could not be made${reply.ok ? '' : `: ${reply.refusal.message}`}`,
    );
  }
  return reply.result.key;
}

function runner(host: Pick<Services, 'command'>, provider: Seeded['provider']) {
  const principal = systemPrincipal('system:seed', provider.tenantId, provider.homeId);
  return async <I extends z.ZodType, R extends z.ZodType>(
    step: string,
    contract: CommandContract<I, R>,
    input: z.input<I>,
  ): Promise<z.output<R>> => {
    const reply: CommandReply<z.output<R>> = await host.command(contract, input, {
      principal,
      idempotencyKey: `seed:${step}`,
    });
    if (!reply.ok)
      throw new RuntimeError(
        'misconfigured',
        `Seeding stopped at the ${step}: ${reply.refusal.message}`,
      );
    return reply.result;
  };
}
