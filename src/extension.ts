/**
 * What a command of one's own is made of: the same parts that the built-in commands use.
 */
export type { Argv } from './base/argv.ts'
export {
  type Command,
  type CommandDefinition,
  type CommandDoc,
  defineCommand,
  firstKey,
  type GetKeys,
  type Handler,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_INSERT,
  KEY_OW,
  KEY_RM,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
  type KeySpec,
  keyAt,
  keyRange,
} from './engine/command.ts'
export {
  ADMIN,
  BLOCKING,
  DENYOOM,
  FAST,
  LOADING,
  NO_MULTI,
  NOSCRIPT,
  PUBSUB,
  READONLY,
  STALE,
  WRITE,
} from './engine/flags.ts'
export { NOTIFY_GENERIC, NOTIFY_MODULE, NOTIFY_STRING } from './engine/notifications.ts'
export type { Session } from './engine/session.ts'
export { type Db, stringEncoding } from './keyspace/db.ts'
export { NO_KEY, WRONG_TYPE } from './keyspace/entry.ts'
export {
  ERR_NO_SUCH_KEY,
  ERR_NOT_FLOAT,
  ERR_NOT_INTEGER,
  ERR_SYNTAX,
  ERR_WRONGTYPE,
  type ErrorReply,
  errorReply,
} from './resp/errors.ts'
export type { ReplyWriter } from './resp/reply-writer.ts'
