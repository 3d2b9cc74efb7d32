/**
 * Data keys that a process remembers, so that not each use of one reads files. Others share the store
 * and may erase a key: what is remembered is trusted for a bounded time, then the tombstone is looked
 * for. That a key is erased is remembered for ever, since it stays so.
 */
import type { KeyShelf } from './shelf.ts';

/** How long a process may go on with a key that another has destroyed: milliseconds. */
export const REMEMBERED_MILLISECONDS = 2000;

/** Keys remembered: a few megabytes. */
const MOST = 20_000;

type DataKey = Buffer | 'erased' | undefined;

interface Known {
  readonly key: Buffer | 'erased';
  /** When the look began that found it not erased, by {@link RememberedOptions.elapsed}. */
  readonly asOf: number;
}

export interface RememberedOptions {
  readonly shelf: Pick<KeyShelf, 'isErased'>;
  /** Finds a key on the shelf, or makes it. */
  readonly look: (name: string, make: boolean) => Promise<DataKey>;
  /** How long to trust what is remembered; {@link REMEMBERED_MILLISECONDS} unless said otherwise. */
  readonly forMilliseconds?: number | undefined;
  /** A time that never jumps, in milliseconds; the process's own unless said otherwise. */
  readonly elapsed?: (() => number) | undefined;
}

export class RememberedKeys {
  readonly #options: RememberedOptions;
  readonly #for: number;
  readonly #elapsed: () => number;
  readonly #known = new Map<string, Known>();
  /** Looks under way: many uses at once of one key look once. */
  readonly #looking = new Map<string, Promise<DataKey>>();

  constructor(options: RememberedOptions) {
    this.#options = options;
    this.#for = options.forMilliseconds ?? REMEMBERED_MILLISECONDS;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** The key of this name; where there is none it is made, or undefined. */
  async get(name: string, make: boolean): Promise<DataKey> {
    const known = this.#known.get(name);
    if (known !== undefined && (known.key === 'erased' || this.#isFresh(known))) return known.key;
    const asked = `${make ? 'make' : 'find'} ${name}`;
    let looking = this.#looking.get(asked);
    if (looking === undefined) {
      looking = this.#look(name, make, known).finally(() => this.#looking.delete(asked));
      this.#looking.set(asked, looking);
    }
    const found = await looking;
    // Erased while it was looked for: what was found may be of before.
    return this.#known.get(name)?.key === 'erased' ? 'erased' : found;
  }

  /** From now on it is erased here, whatever a look under way finds. */
  erased(name: string): void {
    this.#remember(name, { key: 'erased', asOf: this.#elapsed() });
  }

  clear(): void {
    this.#known.clear();
  }

  async #look(name: string, make: boolean, known: Known | undefined): Promise<DataKey> {
    const asOf = this.#elapsed();
    const key =
      known === undefined
        ? await this.#options.look(name, make)
        : (await this.#options.shelf.isErased(name))
          ? 'erased'
          : known.key;
    // Nothing is remembered of what is not there: it may come.
    if (key !== undefined && this.#known.get(name)?.key !== 'erased') {
      this.#remember(name, { key, asOf });
    }
    return key;
  }

  #isFresh({ asOf }: Known): boolean {
    return this.#elapsed() - asOf < this.#for;
  }

  /** The one looked at longest ago makes room. */
  #remember(name: string, known: Known): void {
    this.#known.delete(name);
    for (const [oldest] of this.#known) {
      if (this.#known.size < MOST) break;
      this.#known.delete(oldest);
    }
    this.#known.set(name, known);
  }
}
