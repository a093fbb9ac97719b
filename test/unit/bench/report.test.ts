import { describe, expect, test } from 'vitest'
import { GROUPS } from '../../../bench/server/groups/index.ts'
import type { Group } from '../../../bench/server/measurement.ts'
import { recordedResults, withResults } from '../../../bench/server/record.ts'
import { parseBenchmarkReport } from '../../../bench/server/redis-benchmark.ts'
import { formatReport, type GroupResult, median, meetsTarget, plotRatios } from '../../../bench/server/report.ts'

const environment = {
  cpu: 'c',
  cores: 2,
  system: 's',
  node: '20',
  ourVersion: '1',
  theirVersion: '7.0.15',
  date: 'd',
}

const OUTPUT = `====== GET ======
  100000 requests completed in 0.44 seconds
Latency by percentile distribution:
0.000% <= 0.304 milliseconds (cumulative count 1)
99.805% <= 10.000 milliseconds (cumulative count 99805)
99.902% <= 13.103 milliseconds (cumulative count 99902)
99.951% <= 13.900 milliseconds (cumulative count 99951)
100.000% <= 13.999 milliseconds (cumulative count 100000)

Cumulative distribution of latencies:
0.000% <= 0.103 milliseconds (cumulative count 0)

Summary:
  throughput summary: 225733.64 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        2.941     0.304     2.255     7.135     9.263    13.999
`

test('parseBenchmarkReport takes the figures from the right lines', () => {
  const expected = { requestsPerSecond: 225733.64, p50Ms: 2.255, p99Ms: 9.263, p999Ms: 13.103, maxMs: 13.999 }
  expect(parseBenchmarkReport(OUTPUT)).toEqual(expected)
  expect(() => parseBenchmarkReport('Could not connect')).toThrow('no report of redis-benchmark')
})

test('median of odd and even counts', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
})

describe('targets', () => {
  const measurement = { id: 'x', title: 'X', unit: 'ms' }
  test('hold for ratio and value', () => {
    expect(meetsTarget({ measurement, ours: [1], theirs: [2] }, { ratioMax: 0.5 })).toBe(true)
    expect(meetsTarget({ measurement, ours: [1.1], theirs: [2] }, { ratioMax: 0.5 })).toBe(false)
    expect(meetsTarget({ measurement, ours: [2], theirs: [2] }, { ratioMin: 1 })).toBe(true)
    expect(meetsTarget({ measurement, ours: [1.9], theirs: [2] }, { ratioMin: 1 })).toBe(false)
    expect(meetsTarget({ measurement, ours: [11], theirs: [100] }, { ratioMax: 0.25, valueMax: 10 })).toBe(false)
  })

  test('are those that the project has set itself', () => {
    const targets = GROUPS.flatMap(({ id, measurements }) =>
      measurements.filter(({ target }) => target !== undefined).map((found) => [id, found.id, found.target]),
    )
    expect(targets).toEqual(
      expect.arrayContaining([
        ...['p1', 'p16', 'p64'].flatMap((id, index) =>
          ['SET.cpu', 'GET.cpu'].map((name) => [id, name, { ratioMax: [1.1, 0.9, 0.7][index] }]),
        ),
        ['memory', 'bytesPerKey', { ratioMax: 0.65 }],
        ['rdb', 'loadKeysPerSecond', { ratioMin: 1 }],
        ['bgsave', 'worstGet', { ratioMax: 0.25, valueMax: 10 }],
        ['types-p1', 'LPUSH.cpu', { ratioMax: 1.15 }],
        ['types-p16', 'XADD.cpu', { ratioMax: 0.9 }],
        ['types-memory', 'zset', { ratioMax: 0.65 }],
        ['types-memory', 'set', { ratioMax: 0.55 }],
        ['types-memory', 'hashes', { ratioMax: 0.95 }],
        ['types-memory', 'list', { ratioMax: 1 }],
        ['types-large', 'zadd', { ratioMax: 0.5 }],
      ]),
    )
  })
})

test('a run of one group replaces that one in the record', () => {
  const [first, second] = GROUPS.slice(3, 5)
  const resultOf = (group: Group, figure: number): GroupResult => ({
    group,
    rounds: 1,
    environment,
    results: group.measurements.map((measurement) => ({ measurement, ours: [figure], theirs: [1] })),
  })
  const both = withResults({}, [resultOf(second!, 1), resultOf(first!, 2)])
  const replaced = recordedResults(withResults(both, [resultOf(first!, 3)]), GROUPS)
  expect(replaced).toEqual([resultOf(first!, 3), resultOf(second!, 1)])
})

test('the report shows each ratio, its target and whether it is met', () => {
  const group = GROUPS.find(({ id }) => id === 'bgsave')!
  const results = group.measurements.map((measurement) => ({ measurement, ours: [9, 1, 2], theirs: [10, 8, 30] }))
  const groups: GroupResult[] = [{ group, rounds: 3, environment, results }]
  expect(formatReport(groups)).toContain(
    '| Worst GET during BGSAVE | ms | 2 (1 .. 9) | 10 (8 .. 30) | **0.20** | <= 0.25, <= 10 ms | met |',
  )
  const svg = plotRatios(groups)
  expect(svg).toContain('Worst GET during BGSAVE')
  expect(svg).toContain('>0.20</text>')
  expect(svg).toContain('#2f9e44')
})
