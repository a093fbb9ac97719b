/**
 * What an embedding program may have to deal with, under codes that stay as they are. What a client did wrong is a
 * ReplyError instead, with Redis's own code; a wrong option is a ConfigOptionError.
 */

export type ServerErrorCode =
  /** The server or the client was closed: before the call, or while it waited for its reply. */
  | 'O7_CLOSED'
  /** A bug stopped the server; `cause` is what was thrown. */
  | 'O7_CRASHED'
  /** An address cannot be listened on; the message says which and why. */
  | 'O7_LISTEN'
  /** The RDB file to begin with cannot be read, or is none. */
  | 'O7_LOAD'
  /** `url` was asked of a server that listens nowhere. */
  | 'O7_NOT_LISTENING'
  /** An argument is none that a request can hold, or not what the method takes. */
  | 'O7_INVALID_ARGUMENT'

export class ServerError extends Error {
  override readonly name = 'ServerError'
  readonly code: ServerErrorCode

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
