export { type ChangeOptions, changeSettings } from './change.js';
export { findOverrides } from './overrides.js';
export { restoreSettings } from './restore.js';
export type { Journal, OpenChange, Restoration, SettingBefore, SettingOverride } from './types.js';
