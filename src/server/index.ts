export { apiPrefix } from './app.js';
export { describeApi } from './openapi.js';
export { defaultLimits, type ServerLimits, type ServerOptions } from './options.js';
export { buildServer, type RunningServer } from './server.js';
export { type ControlFile, type RunningSystem, type SystemOptions, startSystem } from './system.js';
