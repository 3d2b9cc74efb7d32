/**
 * That a key is in use, told to accounts once a day by each gateway, beside the request and never in
 * its way. Accounts record it once a day however many gateways say so: so a key's last use is known to
 * the day, and a use that could not be told is told with the next.
 */
import { NoteApiKeyUse } from '@bivouac/accounts/api';
import type { Principal, ServiceCaller } from '@bivouac/events/language';
import { idOf } from '@bivouac/events/values';

import type { GatewayLogger } from '../request/services.ts';

export interface KeyUsesOptions {
  readonly caller: ServiceCaller;
  readonly clock: { now(): number };
  readonly logger: GatewayLogger;
  readonly principal: Principal;
}

const DAY = 24 * 60 * 60 * 1000;
const apiKeyId = idOf('apiKey');

export class KeyUses {
  readonly #options: KeyUsesOptions;
  /** The day, counted from 1970, that `#told` is of. */
  #day = -1;
  /** Keys whose use today was told, or is being told. */
  #told = new Set<string>();

  constructor(options: KeyUsesOptions) {
    this.#options = options;
  }

  /** Notes a use. Costs a look into a set but for the first of a day. */
  note(keyId: string): void {
    const day = Math.floor(this.#options.clock.now() / DAY);
    if (day !== this.#day) {
      this.#day = day;
      this.#told = new Set();
    }
    if (this.#told.has(keyId)) return;
    const told = this.#told.add(keyId);
    if (!apiKeyId.safeParse(keyId).success) return;
    this.#tell(keyId, day).catch((error: unknown) => {
      told.delete(keyId);
      this.#options.logger.warn({ keyId, err: error }, 'the use of a key could not be noted');
    });
  }

  async #tell(keyId: string, day: number): Promise<void> {
    const { caller, principal } = this.#options;
    const reply = await caller.command(
      NoteApiKeyUse,
      { keyId },
      { principal, idempotencyKey: `used on day ${day}` },
    );
    if (!reply.ok && reply.refusal.retryable === true) throw new Error(reply.refusal.message);
  }
}
