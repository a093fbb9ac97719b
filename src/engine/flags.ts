/**
 * Command flags, as bits. Names on the wire and what follows from them are Redis's; see COMMAND INFO.
 */
export const WRITE = 1 << 0
export const READONLY = 1 << 1
export const DENYOOM = 1 << 2
export const MODULE = 1 << 3
export const ADMIN = 1 << 4
export const PUBSUB = 1 << 5
export const NOSCRIPT = 1 << 6
export const BLOCKING = 1 << 8
export const LOADING = 1 << 9
export const STALE = 1 << 10
export const SKIP_MONITOR = 1 << 11
export const SKIP_SLOWLOG = 1 << 12
export const ASKING = 1 << 13
export const FAST = 1 << 14
export const NO_AUTH = 1 << 15
export const MAY_REPLICATE = 1 << 16
export const SENTINEL = 1 << 17
export const ONLY_SENTINEL = 1 << 18
export const NO_MANDATORY_KEYS = 1 << 19
/** Guarded by enable-debug-command or enable-module-command. Not shown by COMMAND. */
export const PROTECTED = 1 << 20
export const NO_ASYNC_LOADING = 1 << 21
export const NO_MULTI = 1 << 22
export const ALLOW_BUSY = 1 << 23
/** Key positions depend on the arguments. Derived from the key specs, not declared. */
export const MOVABLE_KEYS = 1 << 24
/** Runs at once inside MULTI instead of being queued. Not shown by COMMAND. */
export const NOT_QUEUED = 1 << 25
/** Allowed while a RESP2 client is subscribed. Not shown by COMMAND. */
export const IN_SUBSCRIBED = 1 << 26
/** May come across, and remove, keys that are overdue and have nothing to do with each other. Not shown by COMMAND. */
export const TOUCHES_ARBITRARY_KEYS = 1 << 27

/** In the order in which COMMAND INFO lists them. */
export const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [WRITE, 'write'],
  [READONLY, 'readonly'],
  [DENYOOM, 'denyoom'],
  [MODULE, 'module'],
  [ADMIN, 'admin'],
  [PUBSUB, 'pubsub'],
  [NOSCRIPT, 'noscript'],
  [BLOCKING, 'blocking'],
  [LOADING, 'loading'],
  [STALE, 'stale'],
  [SKIP_MONITOR, 'skip_monitor'],
  [SKIP_SLOWLOG, 'skip_slowlog'],
  [ASKING, 'asking'],
  [FAST, 'fast'],
  [NO_AUTH, 'no_auth'],
  [NO_MANDATORY_KEYS, 'no_mandatory_keys'],
  [NO_ASYNC_LOADING, 'no_async_loading'],
  [NO_MULTI, 'no_multi'],
  [MOVABLE_KEYS, 'movablekeys'],
  [ALLOW_BUSY, 'allow_busy'],
]
