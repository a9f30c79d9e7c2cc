export {
  type CloneInfo,
  type CloneLimits,
  type CloneMethod,
  type CloneRequest,
  type CloneResult,
  type CloneTool,
  type ConsideredMethod,
  createClone,
  dropClone,
  listClones,
} from './clone/index.js';
export { type ConnectOptions, connect, withConnection } from './connect.js';
export { describeServer, type ServerInfo } from './describe-server.js';
export { type FindOptions, findInstallations, type Installation, installationFor } from './installations.js';
export { type InitOptions, type InstanceOptions, PostgresInstance } from './instance.js';
export { createReplica, type ReplicaRequest } from './replica.js';
export type { Account } from './run-as.js';
export {
  type ChangeOptions,
  changeSettings,
  findOverrides,
  type Journal,
  type OpenChange,
  type Restoration,
  restoreSettings,
  type SettingBefore,
  type SettingOverride,
} from './settings/index.js';
export {
  type Address,
  addressOf,
  type CloneConnection,
  connectionUrl,
  formatUrl,
  parseUrl,
  type ServerUrl,
  withDatabase,
} from './url.js';
