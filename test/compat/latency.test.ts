/** LATENCY beside redis-server's: events of commands, histograms, graphs, errors. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderSparkline } from '../../src/server/commands/sparkline.ts'
import { hasRedisServer } from '../support/redis-process.ts'
import { type ReplyNode, readReplyTree } from '../support/reply-tree.ts'
import { ServerPair } from '../support/server-pair.ts'

const itemsOf = (node: ReplyNode): readonly ReplyNode[] => (typeof node === 'string' ? [] : node.items)
const numberOf = (node: ReplyNode): number => Number((node as string).slice(1))

describe.skipIf(!hasRedisServer())('LATENCY', () => {
  let pair: ServerPair

  beforeAll(async () => {
    pair = await ServerPair.start({ 'latency-monitor-threshold': 40, 'enable-debug-command': 'yes' })
  })
  afterAll(() => pair.stop())

  test.each([
    [['LATENCY']],
    [['LATENCY', 'HELP']],
    [['LATENCY', 'HELP', 'x']],
    [['LATENCY', 'LATEST']],
    [['LATENCY', 'LATEST', 'x']],
    [['LATENCY', 'HISTORY']],
    [['LATENCY', 'HISTORY', 'command']],
    [['LATENCY', 'HISTORY', 'command', 'x']],
    [['LATENCY', 'GRAPH', 'command']],
    [['LATENCY', 'GRAPH', 'a\r\nb']],
    [['LATENCY', 'GRAPH']],
    [['LATENCY', 'RESET']],
    [['LATENCY', 'RESET', 'command', 'x']],
    [['LATENCY', 'DOCTOR', 'x']],
    [['LATENCY', 'HISTOGRAM', 'nosuch', 'get|nosuch']],
    [['LATENCY', 'nosuch']],
  ])('%j', async (command) => {
    await pair.expectSame(command)
  })

  test('commands that take long are remembered by the second', async () => {
    // Each sleep ends in another second than the one before. On a busy machine it is longer.
    const sleptMs = [1010, 1100, 1300]
    for (const ms of sleptMs) await pair.expectSame(['DEBUG', 'SLEEP', String(ms / 1000)])
    const shape = (reply: string) =>
      itemsOf(readReplyTree(Buffer.from(reply, 'latin1'))).map((sample, index) => {
        const [time, ms] = itemsOf(sample)
        expect(time).toMatch(/^:\d{10}$/)
        return numberOf(ms!) >= sleptMs[index]!
      })
    expect(shape(await pair.expectSame(['LATENCY', 'HISTORY', 'command'], shape))).toEqual([true, true, true])
    await pair.expectSame(['LATENCY', 'HISTORY', 'COMMAND'])
    const latest = (reply: string) =>
      itemsOf(readReplyTree(Buffer.from(reply, 'latin1'))).map((event) => {
        const [name, , ms, max] = itemsOf(event)
        return [name, numberOf(ms!) >= 1300, numberOf(max!) >= numberOf(ms!)]
      })
    await pair.expectSame(['LATENCY', 'LATEST'], latest)

    // Redis's own samples, drawn by us, must give Redis's graph.
    for (const client of [pair.redisClient, pair.o7Client]) {
      const samples = itemsOf(readReplyTree(await client.call('LATENCY', 'HISTORY', 'command'))).map(itemsOf)
      const graph = (await client.call('LATENCY', 'GRAPH', 'command')).toString('latin1')
      const labels = Array.from({ length: 30 }, (_, passed) => passed).map((passed) =>
        samples.map(([time]) => `${Math.floor(Date.now() / 1000) - passed - numberOf(time!)}s`),
      )
      const drawn = labels.map((ago) =>
        renderSparkline(
          samples.map(([, ms], index) => ({ value: numberOf(ms!), label: ago[index]! })),
          80,
          4,
        ),
      )
      expect(drawn.some((text) => graph.includes(`${'-'.repeat(80)}\n${text}\r\n`))).toBe(true)
      const values = samples.map(([, ms]) => numberOf(ms!))
      const max = Math.max(...values)
      expect(graph).toContain(`command - high ${max} ms, low ${Math.min(...values)} ms (all time high ${max} ms)\n`)
    }

    // Figures of the report, which Redis computes in whole milliseconds.
    const figures = (reply: string) =>
      /1\. command: 3 latency spikes \(average \d{4,}ms, mean deviation \d+ms, period \d+\.\d\d sec\)\. Worst all time event \d{4,}ms\./.test(
        reply,
      )
    await pair.expectSame(['LATENCY', 'DOCTOR'], figures)
    expect(figures((await pair.o7Client.call('LATENCY', 'DOCTOR')).toString())).toBe(true)

    await pair.expectSame(['LATENCY', 'RESET', 'nosuch', 'COMMAND'])
    await pair.expectSame(['LATENCY', 'LATEST'])
  })

  test('DOCTOR of a server without events, with and without monitoring', async () => {
    await pair.expectSame(['LATENCY', 'RESET'])
    const start = (reply: string) => /Dave, (?:I can't do that|no latency spike was observed)/.exec(reply)?.[0]
    await pair.expectSame(['LATENCY', 'DOCTOR'], start)
    await pair.expectSame(['CONFIG', 'SET', 'latency-monitor-threshold', '0'])
    const opening = (reply: string) => /I'm sorry, Dave.*in order to enable it\./.exec(reply)?.[0]
    expect(await pair.expectSame(['LATENCY', 'DOCTOR'], opening)).toContain('Latency monitoring is disabled')
  })

  test('histograms have cumulative counts in buckets that double', async () => {
    await pair.expectSame(['CONFIG', 'RESETSTAT'])
    for (let i = 0; i < 20; i++) await pair.expectSame(['SET', `key${i}`, 'v'])
    await pair.expectSame(['DEBUG', 'SLEEP', '0.02'])
    await pair.expectSame(['CONFIG', 'GET', 'port'], () => null)
    const BOUNDS = Array.from({ length: 21 }, (_, i) => Math.floor((1024 * 2 ** i - 1) / 1000))
    const shape = (reply: string) => {
      const entries = itemsOf(readReplyTree(Buffer.from(reply, 'latin1')))
      const commands: unknown[] = []
      for (let i = 0; i < entries.length; i += 2) {
        const [callsName, calls, histogramName, histogram] = itemsOf(entries[i + 1]!)
        const buckets = itemsOf(histogram!).map(numberOf)
        const bounds = buckets.filter((_, at) => at % 2 === 0)
        const counts = buckets.filter((_, at) => at % 2 === 1)
        // A bound is the largest value that counts as equal to a power of two: a little above it.
        const isBound = (usec: number) => BOUNDS.some((bound) => usec >= bound && usec <= bound * 1.01 + 1)
        expect(bounds.every(isBound), String(bounds)).toBe(true)
        expect(counts).toEqual(counts.toSorted((a, b) => a - b))
        expect(counts.at(-1)).toBe(numberOf(calls!))
        commands.push([entries[i], callsName, calls, histogramName])
      }
      return commands.sort((a, b) => (String(a) < String(b) ? -1 : 1))
    }
    await pair.expectSame(['LATENCY', 'HISTOGRAM'], shape)
    await pair.expectSame(['LATENCY', 'HISTOGRAM', 'set', 'SET', 'nosuch', 'config', 'config|get', 'get'], shape)
    await pair.expectSame(['LATENCY', 'HISTOGRAM', 'debug'], shape)
  })
})
