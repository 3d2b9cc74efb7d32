/**
 * What we read of LXD's answers, and no more: one schema per answer used. Fields we do not use may
 * change. See https://documentation.ubuntu.com/lxd/en/latest/rest-api/.
 */
import { z } from 'zod';

/** The envelope of every JSON answer. */
export const Envelope = z.discriminatedUnion('type', [
  z.object({ type: z.literal('sync'), metadata: z.unknown() }),
  z.object({ type: z.literal('async'), operation: z.string(), metadata: z.unknown() }),
  z.object({ type: z.literal('error'), error: z.string(), error_code: z.number() }),
]);

export const Operation = z.object({
  id: z.string(),
  status: z.string(),
  status_code: z.number(),
  err: z.string(),
  metadata: z.record(z.string(), z.unknown()).nullable(),
  resources: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
});
export type Operation = z.output<typeof Operation>;

/** Operations by their status. */
export const Operations = z.record(z.string(), z.array(Operation).nullable());

export const Server = z.object({
  api_extensions: z.array(z.string()),
  auth: z.enum(['trusted', 'untrusted']),
  environment: z
    .object({
      server: z.string(),
      server_version: z.string(),
      kernel: z.string(),
      kernel_version: z.string(),
    })
    .optional(),
});

export const Resources = z.object({
  cpu: z.object({ total: z.number() }),
  memory: z.object({ total: z.number() }),
});

export const Pool = z.object({ name: z.string(), driver: z.string() });
export const PoolResources = z.object({ space: z.object({ total: z.number() }) });
export const Profile = z.object({
  devices: z.record(z.string(), z.record(z.string(), z.string())),
});
export const Warning = z.object({ type: z.string(), status: z.string() });

export const Instance = z.object({
  name: z.string(),
  status: z.string(),
  status_code: z.number(),
  config: z.record(z.string(), z.string()),
  devices: z.record(z.string(), z.record(z.string(), z.string())),
});
export type Instance = z.output<typeof Instance>;

export const ImageAlias = z.object({ name: z.string(), target: z.string() });

/** `size` is that of the file as it was imported, usually compressed. */
export const Image = z.object({ size: z.number() });

export const InstanceState = z.object({
  disk: z.record(z.string(), z.object({ usage: z.number() })).nullish(),
});

/** What LXD counts and measures of an instance; what it cannot is left out, null or below zero. */
export const UsageState = z.object({
  status_code: z.number(),
  pid: z.number(),
  processes: z.number(),
  cpu: z.object({ usage: z.number() }).nullish(),
  memory: z.object({ usage: z.number(), usage_peak: z.number() }).nullish(),
  disk: z.record(z.string(), z.object({ usage: z.number() })).nullish(),
  network: z
    .record(
      z.string(),
      z.object({
        counters: z.object({ bytes_received: z.number(), bytes_sent: z.number() }),
        host_name: z.string().default(''),
      }),
    )
    .nullish(),
});
export type UsageState = z.output<typeof UsageState>;

/** An instance with its state: of `recursion=2`, and put together from two answers for one alone. */
export const InstanceInUse = Instance.extend({
  /** Set at each start. */
  last_used_at: z.string().default(''),
  state: UsageState.nullish(),
});
export type InstanceInUse = z.output<typeof InstanceInUse>;

/** The metadata of a finished image import. */
export const Imported = z.object({ fingerprint: z.string().optional() });

/** The metadata of a finished exec whose output was recorded. */
export const Executed = z.object({
  return: z.number(),
  output: z.record(z.string(), z.string()).optional(),
});
