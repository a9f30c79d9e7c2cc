export { createClone } from './create-clone.js';
export { dropClone, listClones } from './drop-clone.js';
export type {
  CloneInfo,
  CloneLimits,
  CloneMethod,
  CloneRequest,
  CloneResult,
  CloneTool,
  ConsideredMethod,
} from './types.js';
