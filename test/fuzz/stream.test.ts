/**
 * RESTORE of streams with wrong bytes: an error or a stream that every command can work with, and all of it is freed in
 * the end.
 */
import { describe, expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { streamCommands } from '../../src/commands/stream/index.ts'
import { seededTest } from '../model/seeded.ts'
import { CommandDraw } from '../support/generator.ts'
import { streamGenerators } from '../support/generator-stream.ts'
import { mutated } from '../support/mutate.ts'
import { createTestPersistence } from '../support/persistence.ts'
import { payload } from '../support/rdb-builder.ts'

const ROUNDS = 400

describe('payloads of streams with wrong bytes', () => {
  seededTest('are refused, or make streams that work', 3, (random: Random) => {
    const { client, engine } = createTestPersistence({ seed: random.int32() >>> 0, commands: streamCommands() })
    const { keyspace } = engine
    const empty = keyspace.arena.usedBytes
    keyspace.limits.streamNodeMaxEntries = [1, 5, 100][random.below(3)]!
    const commands = new CommandDraw(streamGenerators, random)
    const counts = { accepted: 0, refused: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 100 === 0) {
        client.send('XGROUP', 'CREATE', 'a', 'g1', '0', 'MKSTREAM')
        for (let i = 0; i < 300; i++) {
          client.send(
            ...commands
              .next()
              .words.map((word) => (word.length < 300 ? word : 'long'))
              .map((word, n) => (n === 1 ? 'a' : word)),
          )
        }
      }
      const reply = Buffer.from(client.send('DUMP', 'a'), 'latin1')
      const good = reply.subarray(reply.indexOf('\n') + 1, -12)
      const answer = client.send('RESTORE', 'b', '0', payload(mutated(good, random)), 'REPLACE')
      if (answer !== '+OK\r\n') {
        counts.refused++
        expect(answer).toBe('-ERR Bad data format\r\n')
        continue
      }
      counts.accepted++
      for (let i = 0; i < 20; i++) {
        const words = commands.next().words
        if (words[0]!.toUpperCase() !== 'XGROUP' && words[0]!.toUpperCase() !== 'XINFO')
          client.send(words[0]!, 'b', ...words.slice(2))
      }
      for (const request of [
        ['XRANGE', 'b', '-', '+'],
        ['XREVRANGE', 'b', '+', '-'],
        ['XINFO', 'STREAM', 'b', 'FULL', 'COUNT', '0'],
        ['XREADGROUP', 'GROUP', 'g1', 'c1', 'STREAMS', 'b', '0'],
        ['XADD', 'b', '*', 'f', 'v'],
        ['DUMP', 'b'],
        ['XTRIM', 'b', 'MINID', '20'],
        ['XTRIM', 'b', 'MAXLEN', '1'],
      ]) {
        client.send(...request)
      }
    }
    expect(counts.refused).toBeGreaterThan(ROUNDS / 10)
    expect(counts.accepted).toBeGreaterThan(ROUNDS / 50)
    keyspace.clear()
    while (keyspace.lazyFree.step(1000)) {}
    expect(keyspace.arena.usedBytes).toBe(empty)
  })
})
