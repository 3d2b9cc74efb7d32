/** A collector of traces for tests: takes OTLP by HTTP as JSON, and keeps every span it is sent. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { z } from 'zod';

const ValueSchema = z
  .object({ stringValue: z.string(), intValue: z.union([z.number(), z.string()]) })
  .partial()
  .transform(({ stringValue, intValue }) => stringValue ?? String(intValue ?? ''));
const AttributesSchema = z
  .array(z.object({ key: z.string(), value: ValueSchema }))
  .default([])
  .transform((list) => new Map(list.map(({ key, value }) => [key, value])));

const SentSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: AttributesSchema }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string().length(32),
              spanId: z.string().length(16),
              parentSpanId: z.string().optional(),
              name: z.string(),
              startTimeUnixNano: z.string().transform(BigInt),
              endTimeUnixNano: z.string().transform(BigInt),
              attributes: AttributesSchema,
            }),
          ),
        }),
      ),
    }),
  ),
});

type Sent = z.output<typeof SentSchema>['resourceSpans'][number]['scopeSpans'][number]['spans'];

/** A span as it came, with the name of the service that sent it. */
export type SentSpan = Sent[number] & { readonly service: string };

export interface Receiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** Everything that was sent, as text. */
  readonly texts: readonly string[];
  /** The spans of a trace. */
  readonly spansOf: (traceId: string) => readonly SentSpan[];
  readonly close: () => Promise<void>;
}

/** @param answers `never`: it takes what is sent and says nothing. */
export async function receiveTraces(answers: 'at-once' | 'never' = 'at-once'): Promise<Receiver> {
  const texts: string[] = [];
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      texts.push(text);
      if (request.url !== '/v1/traces') {
        response.writeHead(404).end();
        return;
      }
      for (const { resource, scopeSpans } of SentSchema.parse(JSON.parse(text)).resourceSpans) {
        const service = resource.attributes.get('service.name') ?? '';
        for (const scope of scopeSpans)
          spans.push(...scope.spans.map((span) => ({ ...span, service })));
      }
      if (answers === 'at-once')
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    texts,
    spansOf: (traceId) => spans.filter((span) => span.traceId === traceId),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** The spans without a parent, and those whose parent was never sent. */
export function rootsOf(spans: readonly SentSpan[]): {
  readonly roots: readonly SentSpan[];
  readonly orphans: readonly SentSpan[];
} {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId = '' }) => parentSpanId === '');
  const orphans = spans.filter(
    ({ parentSpanId = '' }) => parentSpanId !== '' && !known.has(parentSpanId),
  );
  return { roots, orphans };
}

/** From a span up to its root. */
export function upFrom(span: SentSpan, spans: readonly SentSpan[]): readonly SentSpan[] {
  const above = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return above === undefined ? [span] : [span, ...upFrom(above, spans)];
}

/** The tree as text, each span with its service, in the order of their beginnings. */
export function treeOf(spans: readonly SentSpan[], parent = '', indent = ''): string {
  return spans
    .filter(({ parentSpanId = '' }) => parentSpanId === parent)
    .sort((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1))
    .map((span) => {
      const ms = Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6;
      const line = `${indent}${span.name}  [${span.service}] ${ms.toFixed(1)} ms\n`;
      return line + treeOf(spans, span.spanId, `${indent}  `);
    })
    .join('');
}
