/** The place of a server in its cluster. */

/** Where a server of a cluster is reached. */
export interface Node {
  readonly host: string;
  readonly port: number;
}

/** Who leads, as one server of the cluster sees it; undefined: nobody, as while one is elected. */
export type Leadership = () => 'this' | Node | undefined;

export interface Seat {
  readonly leadership: Leadership;
  /** All of the cluster, as its gossip tells. */
  readonly members: () => readonly (Node & { readonly leads: boolean; readonly alive: boolean })[];
}
