/**
 * What a command of one's own is made of: the same parts that the built-in commands use. docs/extending.md shows how.
 */
export type { Argv } from './base/argv.ts'
export { parseDouble } from './base/double-text.ts'
export {
  type Command,
  type CommandDefinition,
  type CommandDoc,
  defineCommand,
  type FindKeys,
  firstKey,
  type GetKeys,
  type Handler,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_INSERT,
  KEY_NOT_KEY,
  KEY_OW,
  KEY_RM,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
  KEY_VARIABLE_FLAGS,
  type KeyPosition,
  type KeySpec,
  keyAt,
  keyRange,
} from './engine/command.ts'
export type { Tip } from './engine/docs/details.ts'
export {
  ADMIN,
  DENYOOM,
  FAST,
  LOADING,
  NO_MANDATORY_KEYS,
  NO_MULTI,
  NOSCRIPT,
  PUBSUB,
  READONLY,
  SKIP_MONITOR,
  SKIP_SLOWLOG,
  STALE,
  WRITE,
} from './engine/flags.ts'
export { NOTIFY_GENERIC, NOTIFY_MODULE, NOTIFY_STRING } from './engine/notifications.ts'
export { integerOf, putString, removeKey } from './engine/plain-strings.ts'
export type { Session } from './engine/session.ts'
export { type Db, stringEncoding, type UnixTimeMs } from './keyspace/db.ts'
export { NO_KEY, TYPE_STRING, WRONG_TYPE } from './keyspace/entry.ts'
export type { Ref } from './memory/arena.ts'
export {
  ERR_INDEX_OUT_OF_RANGE,
  ERR_NO_SUCH_KEY,
  ERR_NOT_FLOAT,
  ERR_NOT_INTEGER,
  ERR_OVERFLOW,
  ERR_SYNTAX,
  ERR_WRONGTYPE,
  type ErrorReply,
  errorReply,
} from './resp/errors.ts'
export type { ReplyWriter } from './resp/reply-writer.ts'
