/**
 * Loading failed, and what there is to say of it is in the log. The program ends with exit code 1; an embedding
 * application gets this from the start of its server.
 */
import type { RdbErrorCode } from './rdb/rdb-error.ts'

export class PersistenceError extends Error {
  override readonly name = 'PersistenceError'
  /** A code of RdbError, or the system's ("EACCES"). */
  readonly code: RdbErrorCode | string
  /** Where in the file; -1 if the file could not be read. */
  readonly offset: number

  constructor(code: RdbErrorCode | string, offset: number, message: string) {
    super(message)
    this.code = code
    this.offset = offset
  }
}
