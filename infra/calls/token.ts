/** What both ends agree on about tokens. */
import { hash } from 'node:crypto';

/** How long a token is good, in seconds. */
export const TOKEN_SECONDS = 60;
/** How far clocks of two machines may be apart, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 10;
/** So that a token made for anything else is none here. */
export const TOKEN_TYPE = 'bivouac-call+jwt';

/** Names a public key in tokens. */
export function keyIdOf(publicKey: string): string {
  return hash('sha256', publicKey, 'hex').slice(0, 16);
}
