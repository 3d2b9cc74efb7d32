/** Where wrapped keys stand: each under a name, kept once, erased for ever. */

/** `erased`: there was one and there will be none again. */
export type Shelved = Uint8Array | 'erased' | undefined;

export interface KeyShelf {
  find(name: string): Promise<Shelved>;
  /** Whether a key that was there has been erased since: less to ask than to find it again. */
  isErased(name: string): Promise<boolean>;
  /** Puts a key there unless one stands or stood there; answers what stands there now. */
  keep(name: string, wrapped: Uint8Array): Promise<Uint8Array | 'erased'>;
  /** Durable when it resolves; also where there was no key. */
  erase(name: string): Promise<void>;
}

/** A shelf in memory. */
export function memoryShelf(): KeyShelf {
  const shelf = new Map<string, Uint8Array | 'erased'>();
  return {
    find: async (name) => shelf.get(name),
    isErased: async (name) => shelf.get(name) === 'erased',
    keep: async (name, wrapped) => {
      const standing = shelf.get(name) ?? wrapped;
      shelf.set(name, standing);
      return standing;
    },
    erase: async (name) => void shelf.set(name, 'erased'),
  };
}
