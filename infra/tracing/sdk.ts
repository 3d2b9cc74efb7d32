/**
 * What sends traces: OpenTelemetry's SDK with an exporter of OTLP by HTTP, as JSON. Loaded only where
 * tracing is on.
 */
import { hostname } from 'node:os';

import { context, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

import { systemClock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logging.ts';
import type { TracingSettings } from '../runtime/tracing-settings.ts';
import { ChosenIds } from './chosen-ids.ts';
import { activate } from './spans.ts';
import type { Tracing } from './tracing.ts';

export interface SdkOptions {
  readonly settings: TracingSettings;
  /** Where traces are sent: a URL of OTLP by HTTP, whole. */
  readonly url: string;
  /** The name that a trace's spans of this process carry, unless OTEL_SERVICE_NAME says otherwise. */
  readonly name: string;
  readonly logger: Logger;
}

/** Spans that wait to be sent; what comes beyond is dropped. An order has some ninety. */
const MOST_WAITING = 8192;

export function startSdk({ settings, url, name, logger }: SdkOptions): Tracing {
  const sampler = samplerOf(settings);
  const timeoutMillis = settings.OTEL_EXPORTER_OTLP_TIMEOUT;
  const ids = new ChosenIds();
  const provider = new TracerProvider({
    sampler,
    idGenerator: ids,
    resource: defaultResource()
      .merge(detectResources({ detectors: [envDetector] }))
      .merge(
        resourceFromAttributes({
          'service.name': settings.OTEL_SERVICE_NAME ?? name,
          'service.instance.id': `${hostname()}:${process.pid}`,
        }),
      ),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: saying(new OTLPTraceExporter({ url, timeoutMillis }), url, logger),
        maxQueueSize: MOST_WAITING,
      }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  activate({
    tracer: provider.getTracer('bivouac'),
    ids,
    sampled: (traceId) =>
      sampler.shouldSample(ROOT_CONTEXT, traceId, '', SpanKind.INTERNAL, {}, []).decision ===
      SamplingDecision.RECORD_AND_SAMPLED,
  });
  logger.info({ url }, 'traces are sent');
  let stopping: Promise<void> | undefined;
  return {
    stop: (deadlineMilliseconds) => (stopping ??= stop(provider, deadlineMilliseconds, logger)),
  };
}

async function stop(provider: TracerProvider, deadline: number, logger: Logger): Promise<void> {
  activate(undefined);
  context.disable();
  const over = new AbortController();
  const late = systemClock.sleep(deadline, over.signal).then(() => {
    if (!over.signal.aborted) logger.warn({ deadline }, 'the last traces were not taken in time');
  });
  await Promise.race([provider.shutdown().catch(() => undefined), late]);
  over.abort();
}

/** A ratio is of trace ids, which follow from correlation ids: all processes keep the same traces. */
function samplerOf(settings: TracingSettings): Sampler {
  const { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio } = settings;
  const root = name.endsWith('always_on')
    ? new AlwaysOnSampler()
    : name.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(ratio);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

/** Says the 1st, 2nd, 4th, 8th… time that traces were lost, and nothing to anybody else. */
function saying(exporter: SpanExporter, url: string, logger: Logger): SpanExporter {
  let times = 0;
  return {
    export: (spans, done) => {
      exporter.export(spans, (result) => {
        if (result.error === undefined) times = 0;
        else if ((++times & (times - 1)) === 0) {
          logger.warn(
            { url, err: result.error, times, spans: spans.length },
            'traces were lost: the collector does not take them',
          );
        }
        done({ code: 0 });
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
