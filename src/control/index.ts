export { ControlPlane, type ControlPlaneOptions } from './control-plane.js';
export { EmbeddedDatabase, type EmbeddedDatabaseOptions, secretKey } from './database/embedded-database.js';
export type { ControlCommand } from './dispatch/control-command.js';
export * from './services/index.js';
