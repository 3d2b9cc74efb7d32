export { spanIdOf, traceIdOf } from './derived.ts';
export {
  appendOf,
  currentSpan,
  inSpan,
  isTracing,
  type Spanned,
  type SpanSpec,
  startSpan,
} from './spans.ts';
export { startTracing } from './start.ts';
export { spanNamed } from './traceparent.ts';
export type { Tracing } from './tracing.ts';
