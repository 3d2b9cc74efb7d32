/**
 * What a container engine must do for us. The agent calls a driver with fenced steps; drivers are
 * `fake` and `lxd`, both under the one conformance suite in `driver.conformance.ts`.
 *
 * Laws of every driver: the same step again has the same effect as once (a lost reply is answered
 * by asking again); destroying what is not there succeeds; what a caller supplies never reaches a
 * shell. Fencing (old generations, late instructions) is the agent's, in front of the driver.
 */
import type { PackageTransaction } from '@bivouac/events/operations';

/** A container on one node. The id is ours; an engine maps it to a name it accepts. */
export interface InstanceRef {
  /** TypeID of the container, `ctr_…`. */
  readonly containerId: string;
  /** Raised by every placement and by deletion. */
  readonly generation: number;
  /** The instruction that asks for this step. */
  readonly instructionId: string;
}

/** The image a root file system is cloned from. */
export interface ImageSource {
  /** Lower-case hex SHA-256 of the image's content, its identity on every node. */
  readonly digest: string;
  /** Human name, for labels only. */
  readonly name: string;
  /**
   * Where the node gets the content when it does not have it: a local file (`file:///…` a tarball
   * of metadata.yaml and rootfs/), or `builtin:skel`, the small image an agent can make itself.
   */
  readonly source: string;
}

/** Limits of one container. Units are in the names; `null` = no limit of ours. */
export interface ContainerLimits {
  /** Thousandths of one CPU, 1000 = one whole CPU. */
  readonly cpuMillis: number;
  readonly memoryBytes: bigint;
  readonly diskBytes: bigint;
  readonly processes: number;
  /** OpenVZ cpuunits, 8–500000: the share under contention. */
  readonly cpuUnits: number;
}

export interface NetworkAddress {
  /** Without a prefix, e.g. `192.0.2.10`. */
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
}

export interface NetworkConfig {
  /** All addresses the container may use; any other source is dropped (anti-spoofing). */
  readonly addresses: readonly NetworkAddress[];
  readonly hostname: string;
}

/** What a node sees of one container. */
export interface ObservedInstance {
  readonly containerId: string;
  readonly generation: number;
  readonly state: 'absent' | 'stopped' | 'running' | 'frozen' | 'error';
  readonly addresses: readonly string[];
  readonly limits: ContainerLimits | null;
}

/** What a node can do and has, detected at registration, feature by feature. */
export interface NodeInventory {
  readonly engine: string;
  readonly engineVersion: string;
  readonly kernel: string;
  readonly cpuMillis: number;
  readonly memoryBytes: bigint;
  readonly diskBytes: bigint;
  /** e.g. `limits.processes`, `disk.quota`, `network.antispoof`, `freeze`. Sorted. */
  readonly features: readonly string[];
}

/** One installed package, as rpm names it. */
export interface InstalledPackage {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
}

/** What became of a package transaction. */
export interface TransactionReport {
  /** What of the transaction is installed now, and what it took away. */
  readonly added: readonly InstalledPackage[];
  readonly removed: readonly InstalledPackage[];
  /** Paths of files that rpm left as `.rpmnew`, `.rpmsave` or `.rpmorig`. */
  readonly configFiles: readonly string[];
  /** What rpm printed. */
  readonly output: string;
}

/** What only grows, until what counts it starts again from zero: then its epoch is another. */
export interface Counter {
  /** Says nothing but whether it is the same count; at most 64 characters. */
  readonly epoch: string;
  readonly value: bigint;
}

/** What a container has used and uses now. */
export interface UsageReading {
  readonly containerId: string;
  readonly generation: number;
  /** CPU time in nanoseconds; null while nothing runs that is counted. */
  readonly cpuNanos: Counter | null;
  /** Bytes over its network interface; null as above. */
  readonly receivedBytes: Counter | null;
  readonly sentBytes: Counter | null;
  /** Memory in use now, and the most since it was started. */
  readonly memoryBytes: bigint;
  readonly memoryPeakBytes: bigint;
  /** Of the root file system; null where the engine does not say. */
  readonly diskBytes: bigint | null;
  readonly processes: number;
}

export interface Driver {
  inventory(): Promise<NodeInventory>;
  /** Makes the image present on the node. */
  prepareImage(image: ImageSource): Promise<void>;
  /** Clones the image into a stopped instance with these limits and this network. */
  create(
    ref: InstanceRef,
    spec: { image: ImageSource; limits: ContainerLimits; network: NetworkConfig },
  ): Promise<void>;
  applyLimits(ref: InstanceRef, limits: ContainerLimits): Promise<void>;
  configureNetwork(ref: InstanceRef, network: NetworkConfig): Promise<void>;
  start(ref: InstanceRef): Promise<void>;
  /** Stops it, by force after the grace time. */
  stop(ref: InstanceRef, graceSeconds: number): Promise<void>;
  freeze(ref: InstanceRef): Promise<void>;
  thaw(ref: InstanceRef): Promise<void>;
  /** Destroys instance and root file system. Of nothing: succeeds. */
  destroy(ref: InstanceRef): Promise<void>;
  observe(containerId: string): Promise<ObservedInstance>;
  /** Everything on the node that carries our mark. */
  list(): Promise<readonly ObservedInstance[]>;
  /** What these use, or everything that carries our mark; what is not there is not in the answer. */
  usage(containerIds?: readonly string[]): Promise<readonly UsageReading[]>;
  /** The packages in the container's RPM database; empty where there is none. */
  packages(containerId: string): Promise<readonly InstalledPackage[]>;
  /**
   * Has rpm do the transaction inside the container, which runs; `files` has where each package to
   * install lies on this machine, by checksum. Of what is so already: nothing, as done.
   */
  transact(
    ref: InstanceRef,
    transaction: PackageTransaction,
    files: ReadonlyMap<string, string>,
  ): Promise<TransactionReport>;
  close(): Promise<void>;
}

export type DriverErrorCode =
  /** The engine cannot be reached now; nothing is known of the step. Ask again. */
  | 'engine-unavailable'
  /** The engine's answer did not come in time; the step may have happened. Observe, then ask again. */
  | 'outcome-unknown'
  /** There is no such instance. */
  | 'instance-missing'
  /** The node has no room or lacks a feature that the step needs. */
  | 'not-possible'
  /** The engine refused or failed the step; asking again will not help. */
  | 'engine-failed'
  /** The image cannot be had. */
  | 'image-unavailable'
  /** A package file cannot be had, or is not what it should be. */
  | 'package-unavailable';

export class DriverError extends Error {
  readonly code: DriverErrorCode;
  constructor(code: DriverErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DriverError';
    this.code = code;
  }
}
