export { type Clock, systemClock } from './clock.js';
export {
  type ErrorJson,
  type ErrorOptions,
  formatIssue,
  InputError,
  type Issue,
  joinPath,
  OttoError,
  parseInput,
  zodIssues,
} from './errors.js';
export {
  digestFile,
  exists,
  freeBytes,
  inside,
  publishFile,
  readJson,
  syncDirectory,
  writeJson,
} from './files.js';
export { newId, newSecret, sha256 } from './ids.js';
export { createLogger, type Logger, maskUrl, silentLogger } from './logging.js';
export { isAlive } from './process.js';
export { formatProgress, type Progress, type ProgressSink, throttleProgress } from './progress.js';
export { formatBytes, formatDuration, parseDuration } from './units.js';
