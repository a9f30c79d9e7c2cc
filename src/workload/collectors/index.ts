export {
  type AnyCollector,
  type CollectorContext,
  type CollectorManifest,
  type CollectorRole,
  type DataCollector,
  defineCollector,
} from './collector.js';
export type { CollectorToolkit } from './load-collectors.js';
export {
  type CollectorDescription,
  collectorNamed,
  collectors,
  describeCollector,
  loadCollectors,
} from './registry.js';
export { type Collected, type CollectRequest, runCollector } from './run-collector.js';
