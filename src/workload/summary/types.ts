/** One template of a capture with its times. */
export interface TemplateView {
  fingerprint: string;
  sql: string;
  calls: number;
  errors: number;
  /** Over the calls whose duration is known; 0 where none is. */
  meanMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  totalMs: number;
  /** Calls per slice of the capture, evenly cut. */
  sparkline: number[];
}

export interface WorkloadSeries {
  /** Start of each slice, ms since the epoch. */
  t: number[];
  count: number[];
  p50Ms: number[];
  p99Ms: number[];
}

export interface CaptureSummary {
  /** Most total time first. */
  templates: TemplateView[];
  series: WorkloadSeries;
}
