/** Every ask has a deadline; its owner refuses it afterwards. */
import { refuse } from '@bivouac/events/language';

export function askExpired(notAfter: string): ReturnType<typeof refuse> {
  return refuse('ASK_EXPIRED', `The ask had to be done by ${notAfter}; ask again.`);
}
