/** What a node's stream makes of it. */
import type { Amounts } from './capacity.ts';
import type { Tombstones } from './tombstones.ts';

export interface NodeState extends NodeKeeping, NodeIdentity {
  registered: boolean;
  total: Amounts;
  used: Amounts;
  readonly placements: Map<string, PlacementState>;
  readonly voided: Tombstones;
  /** Claims on resizes that hold nothing. */
  readonly voidedClaims: Tombstones;
}

export interface PlacementState {
  readonly amounts: Amounts;
  readonly notAfter: string;
  /** Another size it is to have. */
  readonly pending: Pending | undefined;
  /** The last resize that was done. */
  readonly resizedBy: string | undefined;
}

export interface Pending {
  readonly resizeId: string;
  readonly amounts: Amounts;
  /** Until when a late repeat of each may come. */
  readonly claims: ReadonlyMap<string, string>;
}

export interface NodeIdentity {
  /** Who it is now, and by which token that key was enrolled. */
  identity: { readonly publicKey: string; readonly tokenDigest: string } | undefined;
  /** The token that is open. */
  enrolment: { readonly tokenDigest: string; readonly expiresAt: string } | undefined;
  /** Keys that are no identity any more. */
  readonly revokedKeys: Set<string>;
}

export interface NodeKeeping {
  /** Why, while it takes no new placements. */
  drained: string | undefined;
  labels: readonly string[];
  /** As canonical text, to tell whether it changed. */
  inventory: string | undefined;
  /** By container id. */
  readonly strays: Map<string, Stray>;
  /** By container id: the unanswered instruction to destroy the stray that is, or was, there. */
  readonly destructions: Map<string, string>;
}

/** An instance that is nobody's there. */
export interface Stray {
  /** What was said of it last, as canonical text. */
  readonly said: string;
  readonly generation: number;
}
