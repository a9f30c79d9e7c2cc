/** The workload of a target: capture, archive, templates, replay; benchmarks and data collectors. */
export * from './benchmarks/index.js';
export { captureWorkload } from './capture/capture.js';
export { captureMethods } from './capture/methods.js';
export type {
  CaptureCounts,
  CaptureLimits,
  CaptureManifest,
  CaptureMethod,
  CaptureOptions,
  CaptureOverhead,
  CaptureResult,
  Lost,
  MethodVerdict,
  RestoredSetting,
} from './capture/types.js';
export * from './collectors/index.js';
export { eventColumns, type WorkloadEvent } from './event.js';
export { replayWorkload } from './replay/replay.js';
export type {
  Divergence,
  DivergenceClass,
  Percentiles,
  ReplayOptions,
  ReplayReport,
  ReplayTemplate,
} from './replay/types.js';
export { type SummaryOptions, summariseCapture } from './summary/summarise.js';
export type { CaptureSummary, TemplateView, WorkloadSeries } from './summary/types.js';
