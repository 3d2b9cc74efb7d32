/**
 * A subscription as server-sent events, "distinct connections" of the GraphQL over SSE protocol: an
 * event `next` for each answer, `complete` at the end. Each has the position of its change as its id,
 * which a client that is cut off sends back as `Last-Event-ID`.
 */
import type { ExecutionResult } from 'graphql';
import type { FetchAPI } from 'graphql-yoga';

import type { Answered, Subscription } from './subscription.ts';

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // So that nothing is left open when it has ended, e.g. in a server that is stopping.
  connection: 'close',
  // For proxies that would hold it back until it is complete.
  'x-accel-buffering': 'no',
};

/** The response. It reads the next answer when the last one was taken: a slow reader is waited for. */
export function eventStream(subscription: Subscription, fetchAPI: FetchAPI): Response {
  const answers = subscription.answers();
  const encoder = new fetchAPI.TextEncoder();
  const body = new fetchAPI.ReadableStream<Uint8Array>({
    start(controller) {
      // Headers go out with the first bytes; some clients wait for both.
      controller.enqueue(encoder.encode(':\n\n'));
      subscription.onBeat(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(':\n\n'));
      });
    },
    async pull(controller) {
      const next = await answers.next();
      if (next.done !== true) {
        controller.enqueue(encoder.encode(textOf(next.value)));
        return;
      }
      controller.enqueue(encoder.encode('event: complete\ndata:\n\n'));
      controller.close();
    },
    cancel() {
      // An iterator that waits for its next change would never return by itself.
      subscription.close();
    },
  });
  return new fetchAPI.Response(body, { status: 200, headers });
}

function textOf({ position, result }: Answered): string {
  const id = position === undefined ? '' : `id: ${position}\n`;
  return `event: next\n${id}data: ${JSON.stringify(shown(result))}\n\n`;
}

/** How an error shows in HTTP is no part of a body. */
function shown({ errors, ...result }: ExecutionResult): object {
  if (errors === undefined) return result;
  return {
    ...result,
    errors: errors.map((error) => {
      const { http: _http, ...extensions } = error.extensions;
      return { ...error.toJSON(), extensions };
    }),
  };
}
