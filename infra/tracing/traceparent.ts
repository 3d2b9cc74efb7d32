/** A span as other processes are told of it: the header `traceparent` of W3C Trace Context, version 00. */
import type { SpanContext } from '@opentelemetry/api';

export const TRACEPARENT = 'traceparent';

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`;
}

/** The span that is named; undefined where the text is none: a trace is no reason to refuse anything. */
export function spanNamed(traceparent: unknown): SpanContext | undefined {
  const [, traceId, spanId, flags] =
    typeof traceparent === 'string' ? (FORM.exec(traceparent) ?? []) : [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}
