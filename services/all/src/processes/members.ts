/**
 * Processes that are there to become a part: starting one costs more than what it then does, so that
 * one whose part was stopped in order becomes another's.
 */
import type { Build } from './build.ts';
import { Member } from './member.ts';

export class Members {
  #idle: Member[] = [];
  #closed = false;

  /** One of the build. */
  take(build: Build): Member {
    this.#idle = this.#idle.filter(({ over }) => !over);
    const known = this.#idle.find((member) => member.build === build);
    if (known === undefined) return new Member(build);
    this.#idle = this.#idle.filter((member) => member !== known);
    return known;
  }

  /** Its part was stopped in order. */
  async give(member: Member): Promise<void> {
    member.onFailed = () => undefined;
    if (this.#closed) await member.kill();
    else this.#idle.push(member);
  }

  /** Ends those that are idle, and each that is given back. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = this.#idle;
    this.#idle = [];
    await Promise.all(idle.map((member) => member.kill()));
  }
}
