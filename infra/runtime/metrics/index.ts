export {
  type LabelsOf,
  METRIC_PREFIX,
  type MetricDeclaration,
  metricList,
  type MetricName,
} from './list.ts';
export { metricRows } from './documented.ts';
export { type Counter, type Gauge, type Histogram, type Metrics, noMetrics } from './port.ts';
export { type ProcessMetrics, processMetrics, type ProcessMetricsOptions } from './registry.ts';
export { RECENT_DELAYS } from './recent.ts';
export { type Severity, type Threshold, type ThresholdName, thresholds } from './thresholds.ts';
