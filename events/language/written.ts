/**
 * Bodies this process has validated and written, until they come back: they need no second check.
 * What is remembered is the text itself, so that nothing but the same text of the same type passes.
 */

/** Bodies on their way at most; beyond it all are forgotten, and then checked when they come. */
const KEPT = 4096;
/** Longer ones are rare, and not worth the memory. In UTF-16 units. */
const LONGEST = 4096;

export class WrittenBodies {
  #kept = 0;
  readonly #byType = new Map<string, Set<string>>();

  note(type: string, text: string): void {
    if (text.length > LONGEST) return;
    if (this.#kept >= KEPT) {
      this.#byType.clear();
      this.#kept = 0;
    }
    let texts = this.#byType.get(type);
    if (texts === undefined) this.#byType.set(type, (texts = new Set()));
    if (texts.has(text)) return;
    texts.add(text);
    this.#kept += 1;
  }

  /** Whether the body was written here; it is forgotten with the answer. */
  take(type: string, text: string): boolean {
    const known = this.#byType.get(type)?.delete(text) === true;
    if (known) this.#kept -= 1;
    return known;
  }
}
