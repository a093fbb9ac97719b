/**
 * Which history of data this server is on: what replicas and RDB files are told. The second id is that of the master it
 * was a replica of, valid up to the second offset.
 */
import type { Random } from '../base/random.ts'

export const REPLICATION_ID_LENGTH = 40
const NO_ID = '0'.repeat(REPLICATION_ID_LENGTH)

export class History {
  id: string
  secondId = NO_ID
  secondOffset = -1
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
    this.id = random.hex(REPLICATION_ID_LENGTH)
  }

  /** Begins another history: nobody may continue from the one so far. */
  change(): void {
    this.id = this.random.hex(REPLICATION_ID_LENGTH)
    this.clearSecond()
  }

  clearSecond(): void {
    this.secondId = NO_ID
    this.secondOffset = -1
  }

  /** Goes on under another id; who knows the old one may continue up to `offset`. */
  shift(offset: number, id = this.random.hex(REPLICATION_ID_LENGTH), oldId = this.id): void {
    this.secondId = oldId
    this.secondOffset = offset + 1
    this.id = id
  }
}
