/** A worker extends its lease this often, ms. */
export const heartbeatMs = 2_000;
/** A worker that was not heard of for this long, by a monotonic clock, has lost its lease, ms. */
export const workerLeaseMs = 15_000;
/** The same for a control plane. */
export const controlPlaneLeaseMs = 8_000;
