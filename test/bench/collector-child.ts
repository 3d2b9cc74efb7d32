/**
 * A collector in a process of its own, which takes what it is sent and forgets it. Prints where it listens, and
 * when it is told to end how many spans it was sent.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';

import { z } from 'zod';

const Sent = z.object({
  resourceSpans: z.array(
    z.object({ scopeSpans: z.array(z.object({ spans: z.array(z.unknown()) })) }),
  ),
});

let spans = 0;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { resourceSpans } = Sent.parse(JSON.parse(Buffer.concat(chunks).toString()));
    for (const { scopeSpans } of resourceSpans)
      for (const scope of scopeSpans) spans += scope.spans.length;
    response.setHeader('content-type', 'application/json').end('{}');
  });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('there is no port');
console.log(`http://127.0.0.1:${address.port}`);
process.once('SIGTERM', () => {
  console.log(String(spans));
  process.exit(0);
});
