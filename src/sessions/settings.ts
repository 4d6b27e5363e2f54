/** The limits of sessions, all of them settings. */

export interface SessionSettings {
  readonly ttlMs: number;
  readonly idleMs: number;
  /** Bytes one session may hold, and all of them together. */
  readonly quotaBytes: number;
  readonly totalBytes: number;
  readonly maxSessions: number;
  readonly maxLayers: number;
  readonly maxBodyBytes: number;
  readonly featureBytesMax: number;
  /** Attribute names of one layer. */
  readonly fieldsMax: number;
  readonly maxZoom: number;
  readonly queueMax: number;
  /** Ended sessions that are still answered with 410 instead of 404. */
  readonly tombstonesMax: number;
  /** Under pressure a session in use within this time is spared until all must go. */
  readonly sparedMs: number;
  /** Share of totalBytes for the tiles that drill-downs leave in the indexes. */
  readonly drilledShare: number;
  /** An upload from which nothing has come for this long is given up. */
  readonly stallMs: number;
}

export const SESSION_DEFAULTS: SessionSettings = {
  ttlMs: 12 * 3600_000,
  idleMs: 30 * 60_000,
  quotaBytes: 16 << 20,
  totalBytes: 64 << 20,
  maxSessions: 100,
  maxLayers: 10,
  maxBodyBytes: 16 << 20,
  featureBytesMax: 4 << 20,
  fieldsMax: 1000,
  maxZoom: 16,
  queueMax: 256,
  tombstonesMax: 1000,
  sparedMs: 60_000,
  drilledShare: 0.125,
  stallMs: 10_000,
};
