/** The settings of traces, as OpenTelemetry names them. */
import { z } from 'zod';

const url = z
  .url({
    protocol: /^https?$/,
    error: 'expected an http: or https: URL, e.g. http://127.0.0.1:4318',
  })
  .optional();

export const tracingSettings = {
  /** Where traces go, by OTLP: `/v1/traces` is added. Unset: there are none. */
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  /** The same as a whole URL, instead. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url,
  /** How they are sent. */
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .enum(['http/json'], {
      error:
        'traces are sent as http/json, which collectors take on the port of http/protobuf (4318)',
    })
    .default('http/json'),
  /** How long the collector may take for what it is sent, with all repetitions, in milliseconds. */
  OTEL_EXPORTER_OTLP_TIMEOUT: z.coerce
    .number({ error: 'expected milliseconds from 1 to 600000' })
    .int()
    .min(1)
    .max(600_000)
    .default(10_000),
  /** Which traces are kept. */
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...(['always_on', 'always_off', 'traceidratio'] as const),
      ...(['parentbased_always_on', 'parentbased_always_off'] as const),
      'parentbased_traceidratio',
    ])
    .default('parentbased_always_on'),
  /** Of a ratio: from 0 to 1. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number({ error: 'expected a number from 0 to 1' })
    .min(0)
    .max(1)
    .default(1),
  /** What the process is called in traces; `bivouac-` and its part unless set. */
  OTEL_SERVICE_NAME: z.string().min(1).optional(),
  /** `true`: no traces, whatever else is set. */
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).default('false'),
} as const;

export type TracingSettings = z.output<z.ZodObject<typeof tracingSettings>>;
