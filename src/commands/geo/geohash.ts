/**
 * Geohashes of 52 bits, as sorted sets keep places: the world between 85.05112878 degrees south and north is halved 26
 * times in each direction, and the bits of both directions take turns.
 *
 *   score = ... lon1 lat1 lon0 lat0        bits of the two places in 26 steps; a coarser cell has fewer steps
 *
 * A cell is held as the numbers of its column and row, whole numbers up to 2^26 (a place on the very edge is one beyond the
 * last cell), so that nothing needs integers of 64 bits: the two are interleaved in halves of 13 bits.
 * Source: Redis's geohash.c (by way of its behaviour), and "Bit Twiddling Hacks" (interleaving by magic numbers).
 */
export const LONGITUDE_MAX = 180
export const LATITUDE_MAX = 85.05112878
export const STEPS_MAX = 26

const LATITUDE_SPAN = LATITUDE_MAX + LATITUDE_MAX
const LONGITUDE_SPAN = LONGITUDE_MAX + LONGITUDE_MAX
/** The usual geohash goes to the poles. */
const GEOHASH_LATITUDE_MAX = 90
const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz'
const HALF_BITS = 13
const HALF_MASK = (1 << HALF_BITS) - 1
const TWO_26 = 2 ** 26
const TWO_32 = 2 ** 32
const TWO_52 = 2 ** 52
const TWO_63 = 2 ** 63

export class Cell {
  column = 0
  row = 0
  steps = 0

  /** The cell of that size which a place lies in. */
  locate(longitude: number, latitude: number, steps: number): void {
    const scale = 2 ** steps
    this.row = Math.floor(((latitude - -LATITUDE_MAX) / LATITUDE_SPAN) * scale)
    this.column = Math.floor(((longitude - -LONGITUDE_MAX) / LONGITUDE_SPAN) * scale)
    this.steps = steps
  }

  /** Becomes the neighbour of another cell; the world is round in both directions. */
  moveFrom(other: Cell, columns: number, rows: number): void {
    const mask = 2 ** other.steps - 1
    this.column = columns === 0 ? other.column : (other.column + columns) & mask
    this.row = rows === 0 ? other.row : (other.row + rows) & mask
    this.steps = other.steps
  }

  equals(other: Cell): boolean {
    return this.column === other.column && this.row === other.row && this.steps === other.steps
  }

  get west(): number {
    return edge(this.column, this.steps, LONGITUDE_MAX, LONGITUDE_SPAN)
  }

  get east(): number {
    return edge(this.column + 1, this.steps, LONGITUDE_MAX, LONGITUDE_SPAN)
  }

  get south(): number {
    return edge(this.row, this.steps, LATITUDE_MAX, LATITUDE_SPAN)
  }

  get north(): number {
    return edge(this.row + 1, this.steps, LATITUDE_MAX, LATITUDE_SPAN)
  }

  /** The lowest score in the cell. */
  get scoreMin(): number {
    return this.score(0)
  }

  /** The lowest score behind the cell. */
  get scoreEnd(): number {
    return this.score(1)
  }

  private score(plus: number): number {
    const { column, row } = this
    const high = interleave(row >>> HALF_BITS, column >>> HALF_BITS)
    const low = interleave(row & HALF_MASK, column & HALF_MASK)
    return (high * TWO_26 + (low + plus)) * 2 ** (52 - 2 * this.steps)
  }
}

/** The score of a place as its decimal text: on the edges of the world it has more digits than a number. */
export function scoreText(cell: Cell): string {
  if (cell.column < TWO_26 && cell.row < TWO_26) return String(cell.scoreMin)
  const { column, row } = cell
  const high = interleave(row >>> HALF_BITS, column >>> HALF_BITS)
  const low = interleave(row & HALF_MASK, column & HALF_MASK)
  return ((BigInt(high) << 26n) | BigInt(low)).toString()
}

/** The place that a score stands for: the middle of its cell. Any number is read as the bits that C makes of it. */
export class Place {
  longitude = 0
  latitude = 0

  decode(score: number): void {
    let row: number
    let column: number
    if (score >= 0 && score < TWO_52) {
      const high = Math.floor(score / TWO_26)
      const low = Math.floor(score - high * TWO_26)
      row = (gather(high) << HALF_BITS) | gather(low)
      column = (gather(high >>> 1) << HALF_BITS) | gather(low >>> 1)
    } else {
      const bits = unsigned64(score)
      const low = Number(bits & 0xffff_ffffn)
      const high = Number(bits >> 32n)
      row = ((gather(high) << 16) | gather(low)) >>> 0
      column = ((gather(high >>> 1) << 16) | gather(low >>> 1)) >>> 0
    }
    const scale = TWO_26
    // The cell's far edge wraps around as a number of 32 bits.
    const south = -LATITUDE_MAX + (row / scale) * LATITUDE_SPAN
    const north = -LATITUDE_MAX + (((row + 1) % TWO_32) / scale) * LATITUDE_SPAN
    const west = -LONGITUDE_MAX + (column / scale) * LONGITUDE_SPAN
    const east = -LONGITUDE_MAX + (((column + 1) % TWO_32) / scale) * LONGITUDE_SPAN
    this.longitude = clamp((west + east) / 2, LONGITUDE_MAX)
    this.latitude = clamp((south + north) / 2, LATITUDE_MAX)
  }
}

/** The geohash of a place as text: ten characters that count and, as there always have been eleven, a zero. */
export function geohashText({ longitude, latitude }: Place): string {
  const row = Math.floor(((latitude + GEOHASH_LATITUDE_MAX) / (2 * GEOHASH_LATITUDE_MAX)) * TWO_26) % TWO_26
  const column = Math.floor(((longitude + LONGITUDE_MAX) / LONGITUDE_SPAN) * TWO_26) % TWO_26
  let bits =
    interleave(row >>> HALF_BITS, column >>> HALF_BITS) * TWO_26 + interleave(row & HALF_MASK, column & HALF_MASK)
  bits = Math.floor(bits / 4)
  let text = '0'
  for (let i = 0; i < 10; i++) {
    text = ALPHABET[bits % 32]! + text
    bits = Math.floor(bits / 32)
  }
  return text
}

function edge(index: number, steps: number, max: number, span: number): number {
  return -max + (index / 2 ** steps) * span
}

function clamp(value: number, max: number): number {
  return Math.max(-max, Math.min(max, value))
}

/** Bits of `even` and `odd`, of up to 14 each, in turns. */
function interleave(even: number, odd: number): number {
  return spread(even) + spread(odd) * 2
}

function spread(value: number): number {
  let v = value
  v = (v | (v << 8)) & 0x00ff_00ff
  v = (v | (v << 4)) & 0x0f0f_0f0f
  v = (v | (v << 2)) & 0x3333_3333
  return (v | (v << 1)) & 0x5555_5555
}

/** Every second bit of a word, from the lowest on. */
function gather(word: number): number {
  let v = word & 0x5555_5555
  v = (v | (v >>> 1)) & 0x3333_3333
  v = (v | (v >>> 2)) & 0x0f0f_0f0f
  v = (v | (v >>> 4)) & 0x00ff_00ff
  return (v | (v >>> 8)) & 0xffff
}

/** What a cast of C makes of a number on the machines that matter: it wraps, and what is too large becomes 0. */
function unsigned64(score: number): bigint {
  if (score < TWO_63) return score < -TWO_63 ? 1n << 63n : BigInt.asUintN(64, BigInt(Math.trunc(score)))
  return score < TWO_63 * 2 ? BigInt(score) : 0n
}
