/**
 * What can be wrong with RDB data. `offset` counts from the start of the file or payload.
 */
export type RdbErrorCode =
  /** It ends too early, or a length says more than there is. */
  | 'RDB_SHORT_READ'
  | 'RDB_BAD_SIGNATURE'
  | 'RDB_BAD_VERSION'
  | 'RDB_BAD_CHECKSUM'
  | 'RDB_CORRUPT'
  /** A type that no version has. */
  | 'RDB_UNKNOWN_TYPE'
  /** A type that this server does not have. */
  | 'RDB_UNSUPPORTED_TYPE'
  | 'RDB_DATABASE_OUT_OF_RANGE'
  | 'RDB_DUPLICATE_KEY'

export class RdbError extends Error {
  override readonly name = 'RdbError'
  readonly code: RdbErrorCode
  readonly offset: number

  constructor(code: RdbErrorCode, offset: number, message: string) {
    super(message)
    this.code = code
    this.offset = offset
  }
}
