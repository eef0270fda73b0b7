export {
  type AttributeValues,
  METRICS,
  type Metric,
  type MetricName,
  MOST_SERIES,
  type NamedMetric,
  OTHER,
  promLabelOf,
  promNameOf,
} from './metrics.js'
