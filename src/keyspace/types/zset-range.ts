/**
 * Ranges of sorted sets as arguments name them: by score (`1.5`, `(1.5`, `-inf`) and by the members' bytes (`[a`, `(a`, `-`, `+`).
 */
import type { Argv } from '../../base/argv.ts'
import { parseDoubleLenient } from '../../base/double-text.ts'
import { compareBytes } from './zset-listpack.ts'

const OPEN = 0x28
const CLOSED = 0x5b
const PLUS = 0x2b
const MINUS = 0x2d

export class ScoreRange {
  min = 0
  max = 0
  isMinExclusive = false
  isMaxExclusive = false

  /** Reads the range from two arguments. False: one of them is no number. */
  read(argv: Argv, minIndex: number, maxIndex: number): boolean {
    this.isMinExclusive = beginsWith(argv, minIndex, OPEN)
    this.min = readBound(argv, minIndex, this.isMinExclusive)
    if (Number.isNaN(this.min)) return false
    this.isMaxExclusive = beginsWith(argv, maxIndex, OPEN)
    this.max = readBound(argv, maxIndex, this.isMaxExclusive)
    return !Number.isNaN(this.max)
  }

  /** No score can be in it. */
  get isEmpty(): boolean {
    return this.min > this.max || (this.min === this.max && (this.isMinExclusive || this.isMaxExclusive))
  }

  isAboveMin(score: number): boolean {
    return this.isMinExclusive ? score > this.min : score >= this.min
  }

  isBelowMax(score: number): boolean {
    return this.isMaxExclusive ? score < this.max : score <= this.max
  }
}

function beginsWith(argv: Argv, index: number, byte: number): boolean {
  return argv.lengths[index]! > 0 && argv.bytes[argv.starts[index]!] === byte
}

function readBound(argv: Argv, index: number, isExclusive: boolean): number {
  const start = argv.starts[index]!
  return parseDoubleLenient(argv.bytes, isExclusive ? start + 1 : start, start + argv.lengths[index]!)
}

/** One end of a range by bytes. */
class LexBound {
  /** Below 0 before all members, above 0 behind all, 0: text. */
  side = 0
  isExclusive = false
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  length = 0

  read(argv: Argv, index: number): boolean {
    const { bytes } = argv
    const start = argv.starts[index]!
    const length = argv.lengths[index]!
    const first = length === 0 ? 0 : bytes[start]!
    if (first === PLUS || first === MINUS) {
      if (length > 1 && bytes[start + 1] !== 0) return false
      this.side = first === PLUS ? 1 : -1
      this.isExclusive = true
      return true
    }
    if (first !== OPEN && first !== CLOSED) return false
    this.side = 0
    this.isExclusive = first === OPEN
    this.bytes = bytes
    this.start = start + 1
    this.length = length - 1
    return true
  }

  /** How a text stands to the bound. */
  compare(bytes: Uint8Array, start: number, length: number): number {
    if (this.side !== 0) return -this.side
    return compareBytes(bytes, start, length, this.bytes, this.start, this.length)
  }
}

/** Of use while the arguments are there that it was read from. */
export class LexRange {
  private readonly min = new LexBound()
  private readonly max = new LexBound()

  /** False: one of the arguments is no bound. */
  read(argv: Argv, minIndex: number, maxIndex: number): boolean {
    return this.min.read(argv, minIndex) && this.max.read(argv, maxIndex)
  }

  get isEmpty(): boolean {
    const { min, max } = this
    let order: number
    if (min.side !== 0 || max.side !== 0) order = min.side - max.side
    else order = min.compare(max.bytes, max.start, max.length) * -1
    return order > 0 || (order === 0 && (min.isExclusive || max.isExclusive))
  }

  isAboveMin(bytes: Uint8Array, start: number, length: number): boolean {
    const order = this.min.compare(bytes, start, length)
    return this.min.isExclusive ? order > 0 : order >= 0
  }

  isBelowMax(bytes: Uint8Array, start: number, length: number): boolean {
    const order = this.max.compare(bytes, start, length)
    return this.max.isExclusive ? order < 0 : order <= 0
  }
}
