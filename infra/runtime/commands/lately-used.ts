/**
 * Things by name, of which those not used lately are let go. Two generations do it: what is used
 * moves among the young; when they are enough, the old ones go. Keeping an order of use instead
 * means taking an entry out of a large Map at every use.
 */
export class LatelyUsed<T> {
  readonly #kept: number;
  readonly #mayGo: (thing: T) => boolean;
  /** Things that came among the young by being used. */
  #fresh = 0;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /**
   * @param kept things kept at least, once that many were used; at most twice as many that may go are.
   * @param mayGo whether a thing may be let go now. Absent: always.
   */
  constructor(kept: number, mayGo: (thing: T) => boolean = () => true) {
    this.#kept = kept;
    this.#mayGo = mayGo;
  }

  get(name: string): T | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(name, old);
    return old;
  }

  set(name: string, thing: T): void {
    if (!this.#young.has(name)) this.#fresh += 1;
    this.#young.set(name, thing);
    if (this.#fresh >= this.#kept) this.#age();
  }

  #age(): void {
    const staying = [...this.#old].filter(
      ([name, thing]) => !this.#young.has(name) && !this.#mayGo(thing),
    );
    this.#old = this.#young;
    this.#young = new Map(staying);
    this.#fresh = 0;
  }
}
