/**
 * A histogram of whole numbers with a bounded relative error, as HdrHistogram defines it and Redis uses it for the latency
 * of commands: (1, 1e9, 2) counts nanoseconds up to a second to two significant digits.
 *
 * Values below `subBuckets` (256 for two digits) have a counter each; after that every doubling of the value is divided into
 * half as many counters. Counter i therefore stands for an interval that follows from i alone:
 *
 *   |  0 .. 255, width 1  |  256 .. 511, width 2  |  512 .. 1023, width 4  | ...
 *
 * Counters are made with the first record: most commands are never called. Counts are doubles, exact to 2^53.
 * Hot path: record. Source: Gil Tene's HdrHistogram; Redis's LATENCY HISTOGRAM and INFO latencystats for what is printed.
 */
export class HdrHistogram {
  totalCount = 0
  private readonly subBuckets: number
  private readonly halfMagnitude: number
  private readonly unitMagnitude: number
  private readonly countersLength: number
  private counters: Float64Array | null = null

  /** Values up to `highest` (at most 2^31 - 1) are told apart to `significantDigits` digits, and to units of `lowest`. */
  constructor(lowest: number, highest: number, significantDigits: number) {
    const resolution = 2 * 10 ** significantDigits
    const magnitude = Math.ceil(Math.log2(resolution))
    this.halfMagnitude = magnitude - 1
    this.subBuckets = 2 ** magnitude
    this.unitMagnitude = Math.floor(Math.log2(lowest))
    let buckets = 1
    for (let untracked = this.subBuckets * 2 ** this.unitMagnitude; untracked <= highest; untracked *= 2) buckets++
    this.countersLength = (buckets + 1) * (this.subBuckets / 2)
  }

  /** Counts a value once, or `count` times; false when it is negative or too large to have a counter. */
  record(value: number, count = 1): boolean {
    if (value < 0 || value > 0x7fff_ffff) return false
    const index = this.indexOf(value | 0)
    if (index >= this.countersLength) return false
    this.counters ??= new Float64Array(this.countersLength)
    this.counters[index]! += count
    this.totalCount += count
    return true
  }

  reset(): void {
    this.totalCount = 0
    this.counters?.fill(0)
  }

  /** The largest value that counts as equal to the one at this percentile (0 to 100); 0 when nothing is recorded. */
  valueAtPercentile(percentile: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percentile, 100) / 100) * this.totalCount + 0.5))
    const value = this.lowestOf(this.indexReaching(wanted))
    return percentile === 0 ? value : this.highestEquivalent(value)
  }

  /** Bytes that the counters take, for memory accounting. */
  sizeBytes(): number {
    return this.counters === null ? 0 : this.counters.byteLength
  }

  /**
   * The cumulative distribution over buckets that double, from `firstUpper` on: calls `visit` with the largest value that a
   * bucket covers and the count up to there, for each bucket that adds to the count.
   */
  forEachLogBucket(firstUpper: number, visit: (highest: number, cumulativeCount: number) => void): void {
    const { counters } = this
    if (counters === null) return
    // A bucket ends with the first counter whose interval reaches the (rounded down) bound: it includes that counter.
    let bound = firstUpper
    let cumulative = 0
    let reported = 0
    for (let index = 0; index < this.countersLength && reported < this.totalCount; index++) {
      cumulative += counters[index]!
      const value = this.lowestOf(index)
      if (value < this.lowestEquivalent(bound)) continue
      if (cumulative > reported) visit(this.highestEquivalent(value), cumulative)
      reported = cumulative
      while (value >= this.lowestEquivalent(bound)) bound *= 2
    }
    if (cumulative > reported) visit(this.highestEquivalent(this.lowestOf(this.countersLength - 1)), cumulative)
  }

  /** Which doubling a value falls into: 0 for all values below subBuckets units. */
  private bucketOf(value: number): number {
    const mask = (this.subBuckets - 1) * 2 ** this.unitMagnitude
    return 32 - Math.clz32(value | mask) - this.unitMagnitude - (this.halfMagnitude + 1)
  }

  private indexOf(value: number): number {
    const bucket = this.bucketOf(value)
    return (bucket << this.halfMagnitude) + (value >> (bucket + this.unitMagnitude))
  }

  /** The smallest value that a counter stands for. */
  private lowestOf(index: number): number {
    const half = this.subBuckets / 2
    const bucket = (index >> this.halfMagnitude) - 1
    if (bucket < 0) return index * 2 ** this.unitMagnitude
    return ((index & (half - 1)) + half) * 2 ** (bucket + this.unitMagnitude)
  }

  private lowestEquivalent(value: number): number {
    return value > 0x7fff_ffff ? value : this.lowestOf(this.indexOf(value))
  }

  private highestEquivalent(value: number): number {
    return value + 2 ** (this.bucketOf(value) + this.unitMagnitude) - 1
  }

  private indexReaching(wanted: number): number {
    const { counters } = this
    if (counters === null) return 0
    let count = 0
    for (let index = 0; index < counters.length; index++) {
      count += counters[index]!
      if (count >= wanted) return index
    }
    return 0
  }
}
