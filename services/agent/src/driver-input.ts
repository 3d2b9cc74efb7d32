/**
 * What every driver checks of its caller before it does anything: the same sentences whichever
 * engine is behind. Nothing that fails here has touched the node.
 */
import { isIP } from 'node:net';
import { type PackageTransaction, PackageTransactionSchema } from '@bivouac/events/operations';
import { PackageSchema } from '@bivouac/events/packages';
import { AddressSchema, idOf } from '@bivouac/events/values';
import { z } from 'zod';
import { identityOf } from './transaction.ts';
import {
  DriverError,
  type ContainerLimits,
  type ImageSource,
  type InstanceRef,
  type NetworkConfig,
} from './driver.ts';

const Label = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i, {
    error: 'expected a host name of letters, digits, hyphens and dots (RFC 1123)',
  })
  // 64 is what the kernel's UTS name holds; a longer one fails inside the container.
  .max(64, { error: 'expected a host name of at most 64 characters, the kernel holds no more' });

const Address = z
  .strictObject({ address: AddressSchema, family: z.enum(['ipv4', 'ipv6']) })
  .refine(({ address, family }) => isIP(address) === (family === 'ipv4' ? 4 : 6), {
    error: 'expected an address of the family named, without a prefix',
  });

const positiveBytes = z.bigint().min(1n, { error: 'expected at least 1 byte' });

const schemas = {
  ref: z.object({
    containerId: idOf('container'),
    generation: z.int().min(0),
    instructionId: z.string().regex(/^[\w:.-]{1,200}$/, { error: 'expected an id' }),
  }),
  containerId: idOf('container'),
  image: z.object({
    digest: z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected 64 lower-case hex digits' }),
    name: z.string().max(500),
    source: z.string().refine(isImageSource, { error: 'expected builtin:skel or file:///path' }),
  }),
  limits: z.object({
    cpuMillis: z.int().min(1).max(1_000_000),
    memoryBytes: positiveBytes,
    diskBytes: positiveBytes,
    processes: z.int().min(1).max(4_194_304),
    cpuUnits: z.int().min(8).max(500_000),
  }),
  network: z.object({
    hostname: Label,
    addresses: z
      .array(Address)
      .max(256)
      .refine((all) => new Set(all.map((one) => one.address)).size === all.length, {
        error: 'expected each address once',
      }),
  }),
  graceSeconds: z.number().min(0).max(3600),
  transaction: PackageTransactionSchema.refine(
    ({ install, upgrade, remove }) =>
      [...install, ...upgrade, ...remove].every(
        (one) => PackageSchema.safeParse(identityOf(one)).success,
      ),
    { error: 'expected packages as rpm names them' },
  ).refine(
    ({ install, upgrade }) => [...install, ...upgrade].every((one) => one.checksum !== undefined),
    { error: 'expected a checksum of every package to install' },
  ),
};

const parts = [
  'ref',
  'containerId',
  'image',
  'limits',
  'network',
  'graceSeconds',
  'transaction',
] as const;

/** What a step may be given. */
export interface StepInput {
  readonly ref?: InstanceRef;
  readonly containerId?: string;
  readonly image?: ImageSource;
  readonly limits?: ContainerLimits;
  readonly network?: NetworkConfig;
  readonly graceSeconds?: number;
  readonly transaction?: PackageTransaction;
}

/** @throws {DriverError} `engine-failed`, naming every problem: asking again will not help. */
export function checkInput(step: string, input: StepInput): void {
  const problems: string[] = [];
  for (const part of parts) {
    if (!(part in input)) continue;
    const result = schemas[part].safeParse(input[part]);
    if (result.success) continue;
    for (const issue of result.error.issues)
      problems.push(`${[part, ...issue.path].join('.')}: ${issue.message}`);
  }
  if (problems.length > 0)
    throw new DriverError('engine-failed', `${step} was refused: ${problems.join('; ')}.`);
}

function isImageSource(source: string): boolean {
  if (source === 'builtin:skel') return true;
  if (!URL.canParse(source)) return false;
  const url = new URL(source);
  return url.protocol === 'file:' && url.host === '' && !url.pathname.includes('%00');
}
