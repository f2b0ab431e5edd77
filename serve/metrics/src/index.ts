/** Metrics: what fronts measure alike, and the page for Prometheus. */

export { Durations } from './durations.ts'
export { type Family, histogramOf, type Sample, writeMetrics } from './families.ts'
export { LoopLag } from './loop-lag.ts'
export { mergeFamilies } from './merge.ts'
export { type MetricsOptions, type MetricsPage, startMetrics } from './page.ts'
