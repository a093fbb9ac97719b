import { describe, expect, it } from 'vitest'
import { HdrHistogram } from '../../../src/base/hdr-histogram.ts'
import { readVectors, shortened } from './vectors/read.ts'

const PERCENTILES = [0, 1, 50, 90, 99, 99.9, 100]

describe('HDR histogram', () => {
  it('answers as the C library does', () => {
    for (const { line, arguments: args, answers } of readVectors('hdr', 1)) {
      const histogram = new HdrHistogram(1, 1_000_000_000, 2)
      for (let at = 0; at < args[0]!.length; at += 4) histogram.record(args[0]!.readUInt32BE(at))
      const percentiles = PERCENTILES.map((percentile) => String(histogram.valueAtPercentile(percentile)))
      let distribution = ''
      histogram.forEachLogBucket(1024, (highest, count) => (distribution += `${highest}:${count},`))
      expect([...percentiles, shortened(distribution)], `line ${line}`).toEqual(answers)
    }
  })

  it('counts what it records, several at once, and forgets on reset', () => {
    const histogram = new HdrHistogram(1, 1_000_000_000, 2)
    expect(histogram.sizeBytes()).toBe(0)
    expect(histogram.valueAtPercentile(50)).toBe(0)
    expect(histogram.record(1000, 41)).toBe(true)
    expect(histogram.record(1000)).toBe(true)
    expect(histogram.record(-1)).toBe(false)
    expect(histogram.record(2_000_000_000)).toBe(false)
    expect(histogram.record(2 ** 40)).toBe(false)
    expect(histogram.totalCount).toBe(42)
    expect(histogram.sizeBytes()).toBe(3072 * 8)
    const seen: [number, number][] = []
    histogram.forEachLogBucket(1024, (highest, count) => seen.push([highest, count]))
    expect(seen).toEqual([[1031, 42]])
    histogram.reset()
    expect(histogram.totalCount).toBe(0)
    histogram.forEachLogBucket(1024, () => expect.unreachable())
    expect(histogram.record(5)).toBe(true)
    expect(histogram.valueAtPercentile(100)).toBe(5)
  })
})
