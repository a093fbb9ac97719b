/**
 * Gates: reasons why commands take the long way through dispatch.ts. A bit may be set for a session or for the whole
 * engine; while none is set, a request goes straight to its handler.
 */
// Of a session
export const GATE_AUTH = 1 << 0
export const GATE_MULTI = 1 << 1
export const GATE_SUBSCRIBED = 1 << 2
export const GATE_REPLY = 1 << 3
export const GATE_REPLICA = 1 << 4

// Of the engine
export const GATE_LOADING = 1 << 8
export const GATE_PAUSED = 1 << 9
export const GATE_MAXMEMORY = 1 << 10
export const GATE_DISK_ERROR = 1 << 11
export const GATE_REPLICATION = 1 << 12
export const GATE_BUSY = 1 << 13
