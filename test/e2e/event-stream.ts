/** A subscriber over a real connection, as a program without a library would be one. */
import { createServer, type Server } from 'node:http';

import { z } from 'zod';

import type { Running } from './installation.ts';

const ResultSchema = z.object({
  data: z.record(z.string(), z.record(z.string(), z.unknown())).nullish(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).loose() }))
    .optional(),
});

/** One server-sent event, parsed; `beat` is a comment. */
export type Sent =
  | { readonly event: 'next'; readonly id: string | undefined; readonly result: NextResult }
  | { readonly event: 'complete' }
  | { readonly event: 'beat' };
export type NextResult = z.output<typeof ResultSchema>;

/** Serves an installation's gateway on a port of its own. */
export async function serve(running: Running): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    void running.installation.gateway.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, url: `http://127.0.0.1:${address.port}/graphql` };
}

export interface Subscribing {
  readonly url: string;
  readonly key: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly lastEventId?: string | undefined;
  /** The session of the staff to act in. */
  readonly actingId?: string | undefined;
}

/** Opens a stream. Breaking out of it drops the connection. */
export async function* events(
  { url, key, query, variables, lastEventId, actingId }: Subscribing,
  cut = new AbortController(),
): AsyncGenerator<Sent> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      ...(actingId === undefined ? {} : { 'acting-id': actingId }),
    },
    body: JSON.stringify({ query, variables }),
    signal: cut.signal,
  });
  const type = response.headers.get('content-type');
  if (!(type ?? '').startsWith('text/event-stream') || response.body === null) {
    throw new Error(`no event stream but ${response.status} ${await response.text()}`);
  }
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(z.instanceof(Uint8Array).parse(chunk), { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) yield parsed(block);
    }
  } finally {
    cut.abort();
  }
}

function parsed(block: string): Sent {
  if (block === ':') return { event: 'beat' };
  const fields = new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
    }),
  );
  if (fields.get('event') === 'complete') return { event: 'complete' };
  if (fields.get('event') !== 'next') throw new Error(`unexpected: ${block}`);
  const result = ResultSchema.parse(JSON.parse(fields.get('data') ?? ''));
  return { event: 'next', id: fields.get('id'), result };
}
