/**
 * Spans of what this process does, made at our own seams. Until tracing is started (`start.ts`) all of
 * it does nothing. A trace is that of a correlation id; where a span names one, its trace is that one
 * whatever else is under way. Attributes are ids, names of contracts, streams, positions and outcomes:
 * never what somebody has typed. See docs/tracing.md.
 */
import {
  type Attributes,
  context,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { EventEnvelope } from '@bivouac/events/language';

import { spanIdOf, traceIdOf } from './derived.ts';
import type { ChosenIds } from './chosen-ids.ts';
import { traceparentOf } from './traceparent.ts';

/** What makes spans while tracing is on. */
export interface Active {
  readonly tracer: Tracer;
  readonly ids: ChosenIds;
  /** Whether traces of this id are kept; every process with the same settings says the same. */
  readonly sampled: (traceId: string) => boolean;
}

export interface SpanSpec {
  /** What is done and to what kind of thing: of few values. */
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes?: Attributes;
  /**
   * Whose trace it belongs to. Absent: to that of its parent, or of what is under way; and where there
   * is neither, there is no span.
   */
  readonly correlationId?: string | undefined;
  /** Its parent; what is under way unless told. One of another trace is not taken. */
  readonly parent?: SpanContext | undefined;
}

/** A span while it lasts. */
export interface Spanned {
  /** For who goes on with it elsewhere; undefined where there is no span. */
  readonly context: SpanContext | undefined;
  /** The same as the text to send; undefined also where it is not kept. */
  readonly traceparent: string | undefined;
  note(attributes: Attributes): void;
  /** It has failed; `code` is one of ours, or the name of an error. */
  failed(code: string): void;
  /** Further calls do nothing. A span that is never ended is never seen. */
  end(): void;
}

const NONE: Spanned = {
  context: undefined,
  traceparent: undefined,
  note: () => undefined,
  failed: () => undefined,
  end: () => undefined,
};

let active: Active | undefined;

/** Turns it on, or off again. For `start.ts` alone. */
export function activate(now: Active | undefined): void {
  active = now;
}

/** Whether spans are made. */
export function isTracing(): boolean {
  return active !== undefined;
}

/** Runs the work in a span, which ends with it. What it throws is the span's error, by its code. */
export async function inSpan<T>(
  spec: SpanSpec,
  work: (span: Spanned) => Promise<T> | T,
): Promise<T> {
  if (active === undefined) return work(NONE);
  const { spanned, within } = begin(active, spec);
  if (within === undefined) return work(NONE);
  try {
    return await context.with(within, () => work(spanned));
  } catch (error) {
    spanned.failed(codeOf(error));
    throw error;
  } finally {
    spanned.end();
  }
}

/** Begins a span that is ended by hand. Nothing comes to be under way by it. */
export function startSpan(spec: SpanSpec): Spanned {
  return active === undefined ? NONE : begin(active, spec).spanned;
}

/** The events of an append. */
export type Appended = Pick<EventEnvelope, 'id' | 'type' | 'correlationid' | 'homeid'>;

/**
 * Begins the span of an event's append: the parent of whatever comes of the event, which finds it by the
 * event alone. To be ended once the event is durable, and not at all where it is not.
 */
export function startAppend(
  event: Appended,
  stream: string,
  revision: bigint,
  parent: SpanContext | undefined,
): Spanned {
  if (active === undefined) return NONE;
  const { id, type, correlationid, homeid } = event;
  const spec: SpanSpec = {
    name: `append ${type}`,
    kind: 'producer',
    attributes: {
      'bivouac.event.id': id,
      'bivouac.event.type': type,
      'bivouac.stream': stream,
      'bivouac.revision': revision.toString(),
      'bivouac.home': homeid,
    },
    correlationId: correlationid,
    parent,
  };
  return begin(active, spec, spanIdOf(id)).spanned;
}

/** The span in which an event was appended, whoever did it and when; undefined while nothing is traced. */
export function appendOf(event: Pick<EventEnvelope, 'id' | 'correlationid'>) {
  if (active === undefined) return undefined;
  const traceId = traceIdOf(event.correlationid);
  return {
    traceId,
    spanId: spanIdOf(event.id),
    traceFlags: active.sampled(traceId) ? 1 : 0,
    isRemote: true,
  } satisfies SpanContext;
}

/** The span under way. */
export function currentSpan(): SpanContext | undefined {
  return active === undefined ? undefined : trace.getSpanContext(context.active());
}

function begin(
  { tracer, ids, sampled }: Active,
  { name, kind, attributes, correlationId, parent }: SpanSpec,
  spanId?: string,
): { readonly spanned: Spanned; readonly within: Context | undefined } {
  const underWay = parent ?? trace.getSpanContext(context.active());
  const traceId = correlationId === undefined ? underWay?.traceId : traceIdOf(correlationId);
  if (traceId === undefined) return { spanned: NONE, within: undefined };
  // Of a trace that is not kept nothing is made: who goes on with it finds the same by its id.
  if ((underWay === undefined || underWay.traceFlags === 0) && !sampled(traceId)) {
    return { spanned: NONE, within: undefined };
  }
  const isChild = underWay?.traceId === traceId;
  const links = isChild || underWay === undefined ? [] : [{ context: underWay }];
  // An active span is recorded as local, a parent told of by others as remote: samplers tell them apart.
  const above = isChild ? trace.setSpanContext(ROOT_CONTEXT, underWay) : ROOT_CONTEXT;
  const span = ids.choose({ traceId, spanId }, () =>
    tracer.startSpan(
      name,
      { kind: kinds[kind], links, ...(attributes !== undefined && { attributes }) },
      above,
    ),
  );
  return { spanned: new Lasting(span), within: trace.setSpan(context.active(), span) };
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

class Lasting implements Spanned {
  readonly #span: Span;
  #ended = false;

  constructor(span: Span) {
    this.#span = span;
  }

  get context(): SpanContext {
    return this.#span.spanContext();
  }

  get traceparent(): string | undefined {
    const { context } = this;
    return context.traceFlags === 0 ? undefined : traceparentOf(context);
  }

  note(attributes: Attributes): void {
    if (!this.#ended) this.#span.setAttributes(attributes);
  }

  failed(code: string): void {
    if (this.#ended) return;
    this.#span.setAttribute('error.type', code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#span.end();
  }
}

/** Never the message: it may quote what somebody has typed. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
