/**
 * Facts one context hands to another inside asks, answers and events: small, whole and copied, so
 * that nobody has to look them up in a read model later.
 */
import { z } from 'zod';

import {
  AddressSchema,
  FamilySchema,
  idOf,
  MoneySchema,
  ResourceVectorSchema,
} from '../values/index.ts';

/** The exact state of another stream that a fact was copied from. */
export const SourceSchema = z.strictObject({
  stream: z.string().min(3).max(200),
  /** Decimal revision of the last event that counted. */
  revision: z.string().regex(/^\d+$/),
});
export type Source = z.output<typeof SourceSchema>;

/** A container's host name: RFC 1123, one or more labels. */
export const HostnameSchema = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
    {
      error:
        'expected a host name of lower-case letters, digits, hyphens and dots, e.g. web1.example.com',
    },
  );

/** What limits a container gets on its node. Fidelity of each is in docs/limits.md. */
export const LimitsSchema = z.strictObject({
  cpuMillis: z.number().int().min(1).max(1_000_000),
  memoryBytes: z.string().regex(/^[1-9]\d{0,18}$/),
  diskBytes: z.string().regex(/^[1-9]\d{0,18}$/),
  processes: z.number().int().min(1).max(1_000_000),
  /** OpenVZ cpuunits. */
  cpuUnits: z.number().int().min(8).max(500_000),
});
export type Limits = z.output<typeof LimitsSchema>;

/** The plan as the catalog had it at a revision: what is provisioned and what is charged. */
export const PlanTermsSchema = z.strictObject({
  planId: idOf('plan'),
  code: z.string().min(1).max(40),
  name: z.string().min(1).max(80),
  source: SourceSchema,
  limits: LimitsSchema,
  /** Addresses included in the price. */
  includedAddresses: z.number().int().min(1).max(64),
  monthly: MoneySchema,
  setup: MoneySchema,
  extraAddressMonthly: MoneySchema,
  /** A reseller's price list, where the prices are its own and not the catalog's. */
  pricedBy: SourceSchema.optional(),
});
export type PlanTerms = z.output<typeof PlanTermsSchema>;

/** A published image, enough to build from. */
export const ImageFactsSchema = z.strictObject({
  imageId: idOf('image'),
  name: z.string().min(1).max(80),
  /** Hex SHA-256 of the content. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Where nodes get it: `builtin:skel` or `file:///…`. */
  source: z.string().min(1).max(500),
  /** Hex SHA-256 of the RPM inventory blob. */
  inventory: z.string().regex(/^[0-9a-f]{64}$/),
  at: SourceSchema,
});
export type ImageFacts = z.output<typeof ImageFactsSchema>;

/** An address held by a lease. */
export const LeasedAddressSchema = z.strictObject({
  leaseId: idOf('lease'),
  rangeId: idOf('range'),
  address: AddressSchema,
  family: FamilySchema,
});
export type LeasedAddress = z.output<typeof LeasedAddressSchema>;

export const HoldKindSchema = z.enum(['billing', 'abuse', 'staff']);
export type HoldKind = z.output<typeof HoldKindSchema>;

export const HoldSchema = z.strictObject({
  holdId: idOf('hold'),
  kind: HoldKindSchema,
  reason: z.string().min(1).max(500),
});
export type Hold = z.output<typeof HoldSchema>;

/** A refusal on the wire. */
export const RefusalSchema = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  message: z.string().min(1).max(2000),
  path: z.array(z.string()).readonly().optional(),
  retryable: z.boolean().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export const VectorSchema = ResourceVectorSchema;

/** A package as a transaction names it; `url` and `checksum` where it is to be fetched. */
export const PackageNameVersionSchema = z.strictObject({
  name: z.string().min(1).max(200),
  epoch: z.number().int().min(0).max(4_294_967_295),
  version: z.string().min(1).max(100),
  release: z.string().min(1).max(100),
  arch: z.string().min(1).max(30),
  /** Where the node fetches it: `file:///…` or `https://…`. */
  url: z.string().max(1000).optional(),
  /** Hex SHA-256 of the package file. */
  checksum: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type PackageNameVersion = z.output<typeof PackageNameVersionSchema>;

/** What is to be done by rpm in one transaction, exactly. */
export const PackageTransactionSchema = z.strictObject({
  install: z.array(PackageNameVersionSchema).max(200),
  /** Installed in place of an older one of the same name. */
  upgrade: z.array(PackageNameVersionSchema).max(200),
  remove: z.array(PackageNameVersionSchema).max(200),
});
export type PackageTransaction = z.output<typeof PackageTransactionSchema>;

/** What a transaction made of the container's package list. */
export const PackageReportSchema = z.strictObject({
  added: z.array(PackageNameVersionSchema).max(400),
  removed: z.array(PackageNameVersionSchema).max(400),
  /** Paths of files left as `.rpmnew`, `.rpmsave` or `.rpmorig`. */
  configFiles: z.array(z.string().max(1000)).max(1000),
  /** Hex SHA-256 of the blob with the whole list afterwards. */
  inventory: z.string().regex(/^[0-9a-f]{64}$/),
  /** What rpm printed, its end. */
  output: z.string().max(4000),
});
export type PackageReport = z.output<typeof PackageReportSchema>;
