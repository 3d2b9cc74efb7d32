/** Reads the body of a request, as far as it may be and as long as somebody waits. */
import type { IncomingMessage } from 'node:http';

/** The text; or that it is beyond the bound, or that it did not come to its end in time. */
export function readBody(
  request: IncomingMessage,
  mostBytes: number,
  late: AbortSignal,
): Promise<{ readonly text: string } | 'too-large' | 'cut-off'> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) {
    return Promise.resolve('too-large');
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (outcome: { readonly text: string } | 'too-large' | 'cut-off'): void => {
      request.off('data', take);
      late.removeEventListener('abort', cutOff);
      resolve(outcome);
    };
    const cutOff = (): void => {
      end('cut-off');
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > mostBytes) {
        request.pause();
        end('too-large');
      } else chunks.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => {
      end({ text: Buffer.concat(chunks).toString('utf8') });
    });
    request.once('error', cutOff);
    request.once('close', cutOff);
    late.addEventListener('abort', cutOff, { once: true });
  });
}
