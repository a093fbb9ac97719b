/**
 * Error replies that do not depend on the request, ready as bytes. Texts are Redis's, since clients match on them.
 */
export interface ErrorReply {
  /** First word, as counted by INFO errorstats. */
  readonly code: string
  /** The message with its code, without "-" and line end. */
  readonly text: string
  /** What goes over the wire. */
  readonly bytes: Uint8Array
}

/** What is longer before the first space is no error code. */
const CODE_BYTES_MAX = 31

export function errorReply(text: string): ErrorReply {
  const space = text.indexOf(' ')
  return {
    code: space > 0 && space < CODE_BYTES_MAX ? text.slice(0, space) : 'ERR',
    text,
    bytes: new Uint8Array(Buffer.from(`-${text}\r\n`, 'latin1')),
  }
}

export const ERR_WRONGTYPE = errorReply('WRONGTYPE Operation against a key holding the wrong kind of value')
export const ERR_SYNTAX = errorReply('ERR syntax error')
export const ERR_NO_SUCH_KEY = errorReply('ERR no such key')
export const ERR_SAME_OBJECT = errorReply('ERR source and destination objects are the same')
export const ERR_INDEX_OUT_OF_RANGE = errorReply('ERR index out of range')
export const ERR_NOT_INTEGER = errorReply('ERR value is not an integer or out of range')
export const ERR_NOT_FLOAT = errorReply('ERR value is not a valid float')
export const ERR_OVERFLOW = errorReply('ERR increment or decrement would overflow')
export const ERR_STRING_TOO_LONG = errorReply('ERR string exceeds maximum allowed size (proto-max-bulk-len)')
export const ERR_BIT_OFFSET = errorReply('ERR bit offset is not an integer or out of range')
export const ERR_LOADING = errorReply('LOADING Redis is loading the dataset in memory')
export const ERR_BUSY_SCRIPT = errorReply(
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
)
export const ERR_MASTERDOWN = errorReply(
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
)
export const ERR_MISCONF = errorReply(
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
)
export const ERR_READONLY = errorReply("READONLY You can't write against a read only replica.")
export const ERR_NOAUTH = errorReply('NOAUTH Authentication required.')
export const ERR_OOM = errorReply("OOM command not allowed when used memory > 'maxmemory'.")
export const ERR_EXECABORT = errorReply('EXECABORT Transaction discarded because of previous errors.')
export const ERR_NOREPLICAS = errorReply('NOREPLICAS Not enough good replicas to write.')
export const ERR_BUSYKEY = errorReply('BUSYKEY Target key name already exists.')
export const ERR_DB_INDEX_OUT_OF_RANGE = errorReply('ERR DB index is out of range')
export const ERR_UNBLOCKED = errorReply('UNBLOCKED client unblocked via CLIENT UNBLOCK')
export const ERR_NO_MULTI = errorReply('ERR Command not allowed inside a transaction')
