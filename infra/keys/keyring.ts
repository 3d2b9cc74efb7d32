/**
 * Keys over a shelf: a random data key per (person, purpose), wrapped by the master key, and HMAC
 * keys of homes derived from the master.
 *
 * What that means for erasure: a person's data keys, and the HMAC key derived from the person's
 * `contact` key, are random and destroyed for ever. A home's HMAC key cannot be destroyed by itself,
 * so nothing personal may be hashed under it: who can guess an input could prove the guess.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';

import { type Purpose, PurposeSchema, type Sealed, SealedSchema } from '@bivouac/events/language';

import { BOX_OVERHEAD, closeBox, deriveKey, openBox } from './box.ts';
import { KeyError, type Keys } from './port.ts';
import { RememberedKeys } from './remembered.ts';
import type { KeyShelf } from './shelf.ts';

const SALT = 16;
/** The box of a sealed value has room for 8,192 base64url characters. */
const MAX_CLEAR = 6144 - BOX_OVERHEAD - SALT;
/** HMAC keys of homes remembered: a few megabytes. */
const REMEMBERED = 20_000;

/** A person's keys for some purposes, which the log says are destroyed. */
export interface ErasedKeys {
  readonly person: string;
  readonly purposes: readonly Purpose[];
}

/** How a process remembers keys that others may erase, see `remembered.ts`. */
export interface KeyringOptions {
  readonly rememberMilliseconds?: number | undefined;
  readonly elapsed?: (() => number) | undefined;
}

export class Keyring implements Keys {
  readonly #shelf: KeyShelf;
  readonly #master: Buffer;
  readonly #wrapping: Buffer;
  readonly #dataKeys: RememberedKeys;
  readonly #hmacKeys = new Map<string, Buffer>();
  #closed = false;

  constructor(master: Uint8Array, shelf: KeyShelf, options: KeyringOptions = {}) {
    this.#shelf = shelf;
    this.#master = Buffer.from(master);
    this.#wrapping = deriveKey(this.#master, 'wrap person keys');
    this.#dataKeys = new RememberedKeys({
      shelf,
      look: (name, make) => this.#look(name, make),
      forMilliseconds: options.rememberMilliseconds,
      elapsed: options.elapsed,
    });
  }

  async seal(person: string, purpose: Purpose, clear: string): Promise<Sealed> {
    const bytes = Buffer.from(clear, 'utf8');
    if (bytes.length > MAX_CLEAR) {
      throw new RangeError(
        `a sealed value holds ${MAX_CLEAR} bytes at most, this is ${bytes.length}`,
      );
    }
    const key = await this.#dataKey(person, purpose, true);
    if (key === undefined || key === 'erased') throw erased(person, purpose);
    const salted = Buffer.concat([randomBytes(SALT), bytes]);
    const box = closeBox(key, nameOf(person, purpose), salted).toString('base64url');
    return { person, purpose, box, commitment: commitmentTo(salted) };
  }

  async open(sealed: Sealed): Promise<string | undefined> {
    const { person, purpose, box, commitment } = sealed;
    const key = await this.#dataKey(person, purpose, false);
    if (key === 'erased') return undefined;
    if (key === undefined) {
      throw new KeyError(
        'corrupt',
        `the ${purpose} key of ${person} is missing, but was not destroyed: restore the keys from a backup`,
      );
    }
    const salted = openBox(key, nameOf(person, purpose), Buffer.from(box, 'base64url'));
    if (salted === undefined || commitmentTo(salted) !== commitment) {
      throw new KeyError(
        'corrupt',
        `a value sealed for ${person} (${purpose}) does not open with its key: the value is damaged, ` +
          'or the keys are of another installation',
      );
    }
    return salted.subarray(SALT).toString('utf8');
  }

  async hmac(owner: string, bytes: Uint8Array): Promise<string> {
    const key = this.#hmacKeys.get(owner) ?? (await this.#hmacKey(owner));
    return createHmac('sha256', key).update(bytes).digest('base64url');
  }

  async destroy(person: string, purposes: readonly Purpose[]): Promise<void> {
    this.#checkOpen();
    for (const purpose of purposes) {
      const name = nameOf(person, purpose);
      await this.#shelf.erase(name);
      // Not overwritten in memory: a call under way would go on with a key of zeros.
      this.#dataKeys.erased(name);
    }
  }

  forget(person: string, purposes: readonly Purpose[]): void {
    for (const purpose of purposes) this.#dataKeys.erased(nameOf(person, purpose));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#dataKeys.clear();
    this.#hmacKeys.clear();
  }

  async #hmacKey(owner: string): Promise<Buffer> {
    this.#checkOpen();
    if (owner.startsWith('per_')) {
      // Not remembered here: it must end with the data key.
      const data = await this.#dataKey(owner, 'contact', true);
      if (data === undefined || data === 'erased') throw erased(owner, 'contact');
      return deriveKey(data, 'hmac');
    }
    const key = deriveKey(this.#master, `hmac ${owner}`);
    if (this.#hmacKeys.size >= REMEMBERED) this.#hmacKeys.clear();
    this.#hmacKeys.set(owner, key);
    return key;
  }

  async #dataKey(
    person: string,
    purpose: Purpose,
    make: boolean,
  ): Promise<Buffer | 'erased' | undefined> {
    this.#checkOpen();
    return this.#dataKeys.get(nameOf(person, purpose), make);
  }

  async #look(name: string, make: boolean): Promise<Buffer | 'erased' | undefined> {
    let wrapped = await this.#shelf.find(name);
    if (wrapped === undefined && make) {
      wrapped = await this.#shelf.keep(name, closeBox(this.#wrapping, name, randomBytes(32)));
    }
    if (wrapped === undefined || wrapped === 'erased') return wrapped;
    const key = openBox(this.#wrapping, name, wrapped);
    if (key !== undefined) return key;
    throw new KeyError(
      'corrupt',
      `the key ${name} does not open with the master key: one of the two is damaged or of another ` +
        'installation; restore both from the same backup',
    );
  }

  #checkOpen(): void {
    if (this.#closed)
      throw new KeyError('unavailable', 'the keys are closed: the process is stopping');
  }
}

/** The name of a key, which may become a path: so nothing but a person's id gets into it. */
function nameOf(person: string, purpose: Purpose): string {
  if (!SealedSchema.shape.person.safeParse(person).success) {
    throw new RangeError(
      'keys belong to persons: expected an id like per_01h455vb4pex5vsknk084sn02q',
    );
  }
  return `${person}.${PurposeSchema.parse(purpose)}`;
}

function commitmentTo(salted: Uint8Array): string {
  return createHash('sha256').update(salted).digest('base64url');
}

function erased(person: string, purpose: Purpose): KeyError {
  return new KeyError(
    'erased',
    `${person} is erased for ${purpose}: nothing can be sealed or hashed for it any more`,
  );
}
