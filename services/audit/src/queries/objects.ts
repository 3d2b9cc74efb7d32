/** The streams about an object: by convention, its id behind the name of a kind of stream. */
import { type AskRef, AskRefSchema, answerStream, StepAsked } from '@bivouac/events/operations';
import type { LogReading } from '@bivouac/infra/runtime';

/** Every kind of stream that is named by an id, also to come. A test compares them with the aggregates. */
export const streamKinds: readonly string[] = [
  ...['tree', 'member', 'members', 'person', 'apikey', 'acting', 'retention'],
  ...['container', 'image', 'node', 'range', 'roster', 'placement', 'lease', 'reconciler'],
  ...['pool', 'ledger', 'inventory', 'packagelist', 'repository'],
  ...['account', 'credits', 'plan', 'prices', 'series'],
  ...['operation', 'trailread'],
];

const ID = /^[a-z]{2,3}_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const PAGE = 500;

/** An id's streams: a container's with its inventory, an operation's with the answers to its asks. */
export async function streamsAbout(object: string, log: LogReading): Promise<readonly string[]> {
  if (!ID.test(object)) return [object];
  const streams = streamKinds.map((kind) => `${kind}-${object}`);
  return object.startsWith('op_') ? [...streams, ...(await answersOf(object, log))] : streams;
}

async function answersOf(operationId: string, log: LogReading): Promise<readonly string[]> {
  const refs: AskRef[] = [];
  for (let from = 0n; ;) {
    const page = await log.readStream(`operation-${operationId}`, { from, limit: PAGE });
    if (!page.exists) return [];
    for (const stored of page.events) {
      if (stored.type !== StepAsked.type) continue;
      const ref = AskRefSchema.safeParse(log.decode(stored)?.data['ref']);
      if (ref.success) refs.push(ref.data);
    }
    const last = page.events.at(-1);
    if (page.end || last === undefined) break;
    from = last.revision + 1n;
  }
  return [...new Set(refs.map(answerStream))];
}
