/** Turns tracing on where the settings say where traces go; off, nothing of the SDK is loaded. */
import type { Logger } from '../runtime/logging.ts';
import type { TracingSettings } from '../runtime/tracing-settings.ts';
import type { Tracing } from './tracing.ts';

/** @param name `bivouac-billing`, `bivouac-gateway`…: the service's name in traces. */
export async function startTracing(
  settings: TracingSettings,
  name: string,
  logger: Logger,
): Promise<Tracing> {
  const url = tracesUrl(settings);
  if (url === undefined) return { stop: () => Promise.resolve() };
  const { startSdk } = await import('./sdk.ts');
  return startSdk({ settings, url, name, logger });
}

/** Where traces go; undefined: nowhere. */
export function tracesUrl(settings: TracingSettings): string | undefined {
  const {
    OTEL_EXPORTER_OTLP_ENDPOINT: base,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole,
    OTEL_SDK_DISABLED: disabled,
  } = settings;
  if (disabled === 'true') return undefined;
  if (whole !== undefined) return whole;
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`;
}
