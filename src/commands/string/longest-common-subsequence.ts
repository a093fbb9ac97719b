/**
 * The longest common subsequence of two byte strings, 32 columns at a time.
 *
 *   L(i, j) = length for the first i bytes of a and the first j of b
 *   row i   = one bit per column j: 0 where L(i, j) = L(i, j - 1) + 1, else 1
 *
 * With M the columns of b that hold a's next byte, the next row is (row + (row & M)) | (row & ~M), the sum carried from
 * word to word; L(i, |b|) is the number of zeros in row i. Rows are kept only when the way back is wanted: one bit per
 * cell, where Redis keeps 32.
 *
 * Where bytes differ on the way back, Redis goes up if L(i - 1, j) > L(i, j - 1), else left. L(i, j) is the greater of
 * the two there, so "up" is exactly where row i has a zero at j: the same path, hence the same matches.
 * Source: H. Hyyro, "Bit-Parallel LCS-length Computation Revisited" (2004).
 */
export interface CommonSubsequence {
  readonly length: number
  /** With `keepRows` all rows, row 0 first; else the last. */
  readonly rows: Int32Array
  readonly wordsPerRow: number
}

/** Computes the length; with `keepRows` also what `walkBack` needs. */
export function commonSubsequence(a: Uint8Array, b: Uint8Array, keepRows: boolean): CommonSubsequence {
  const wordsPerRow = (b.length + 31) >>> 5
  const masks = columnMasks(a, b, wordsPerRow)
  const rows = new Int32Array(keepRows ? (a.length + 1) * wordsPerRow : wordsPerRow)
  // Before the first row every bit is one: no byte of a, no length.
  rows.fill(-1, 0, wordsPerRow)
  const step = keepRows ? wordsPerRow : 0
  let at = 0
  for (let i = 0; i < a.length; i++) {
    nextRow(rows, at, at + step, masks[a[i]!]!, wordsPerRow)
    at += step
  }
  return { length: countZeros(rows, at, b.length), rows, wordsPerRow }
}

/**
 * Visits the matching pairs of bytes from the last to the first, and the steps between them: `visit(i, j, isMatch)`
 * with i and j the indexes of the bytes compared. It ends when either string is used up.
 */
export function walkBack(
  found: CommonSubsequence,
  a: Uint8Array,
  b: Uint8Array,
  visit: (i: number, j: number, isMatch: boolean) => void,
): void {
  const { rows, wordsPerRow } = found
  let i = a.length - 1
  let j = b.length - 1
  while (i >= 0 && j >= 0) {
    const isMatch = a[i] === b[j]
    visit(i, j, isMatch)
    if (isMatch) {
      i--
      j--
    } else if (((rows[(i + 1) * wordsPerRow + (j >>> 5)]! >>> (j & 31)) & 1) === 0) i--
    else j--
  }
}

/** For each byte value in `a`, the columns of `b` that hold it. */
function columnMasks(a: Uint8Array, b: Uint8Array, wordsPerRow: number): (Int32Array | undefined)[] {
  const masks = new Array<Int32Array | undefined>(256)
  for (let i = 0; i < a.length; i++) masks[a[i]!] ??= new Int32Array(wordsPerRow)
  for (let j = 0; j < b.length; j++) {
    const mask = masks[b[j]!]
    if (mask !== undefined) mask[j >>> 5]! |= 1 << (j & 31)
  }
  return masks
}

/** Makes the row at `to` of the one at `from`, which may be the same place. */
function nextRow(rows: Int32Array, from: number, to: number, mask: Int32Array, words: number): void {
  let carry = 0
  for (let w = 0; w < words; w++) {
    const bits = rows[from + w]!
    const hits = bits & mask[w]!
    const sum = (bits + hits + carry) | 0
    // The carry out of 32 bits, from the top bits of both operands and of the sum.
    carry = ((bits & hits) | ((bits | hits) & ~sum)) >>> 31
    rows[to + w] = sum | (bits & ~mask[w]!)
  }
}

function countZeros(rows: Int32Array, at: number, columns: number): number {
  let zeros = 0
  for (let j = 0; j < columns; j++) zeros += ((rows[at + (j >>> 5)]! >>> (j & 31)) & 1) ^ 1
  return zeros
}
