/** Streams in payloads of every version, and in files that are written while they change. */
import { describe, expect, test } from 'vitest'
import type { Random } from '../../../src/base/random.ts'
import { streamCommands } from '../../../src/commands/stream/index.ts'
import { datasetDigest } from '../../../src/keyspace/digest.ts'
import { seededTest } from '../../model/seeded.ts'
import { createTestPersistence, type TestPersistence } from '../../support/persistence.ts'
import { smallStreamPayload } from '../../support/stream-payloads.ts'

const create = (): TestPersistence => createTestPersistence({ commands: streamCommands() })

describe('streams', () => {
  test.each([15, 19, 21] as const)('of RDB type %i are read, and written as type 19', (rdbType) => {
    const { client } = create()
    expect(client.send('RESTORE', 's', '0', smallStreamPayload(rdbType))).toBe('+OK\r\n')
    expect(client.send('XRANGE', 's', '-', '+')).toBe(
      '*2\r\n*2\r\n$3\r\n7-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n*2\r\n$3\r\n7-3\r\n*2\r\n$1\r\ng\r\n$2\r\n12\r\n',
    )
    const dump = Buffer.from(client.send('DUMP', 's'), 'latin1')
    expect(dump.subarray(dump.indexOf('\n') + 1, -2).equals(smallStreamPayload(19))).toBe(true)
    expect(client.send('XACK', 's', 'g', '7-1')).toBe(':1\r\n')
    expect(client.send('XADD', 's', '7-*', 'f', 'x')).toBe('$3\r\n7-4\r\n')
  })

  test('that promise what they do not hold are refused, and nothing is left of them', () => {
    const { client, engine } = create()
    client.send('XADD', 'other', '*', 'f', 'v')
    const before = engine.keyspace.arena.usedBytes
    const good = smallStreamPayload(21)
    for (let cut = 1; cut < good.length - 10; cut++) {
      const bad = Buffer.concat([good.subarray(0, cut), good.subarray(-10)])
      expect(client.send('RESTORE', 's', '0', bad)).toMatch(/^-ERR (Bad data format|DUMP payload)/)
    }
    expect(engine.keyspace.arena.usedBytes).toBe(before)
  })

  seededTest('keep the state of the start while they are saved in the background', 1, async (random: Random) => {
    const saved = create()
    const { client, engine } = saved
    engine.keyspace.limits.streamNodeMaxEntries = 20
    for (let key = 0; key < 6; key++) {
      client.send('XGROUP', 'CREATE', `s${key}`, 'g', '0', 'MKSTREAM')
      const entries = random.below(4) === 0 ? 6000 : random.below(50) + 1
      for (let i = 1; i <= entries; i++) client.send('XADD', `s${key}`, `${i}-1`, 'f', random.hex(20))
      client.send('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '5000', 'STREAMS', `s${key}`, '>')
    }
    const digest = datasetDigest(engine.keyspace)
    const pending = client.send('XINFO', 'STREAM', 's0', 'FULL', 'COUNT', '0')
    client.send('BGSAVE')
    while (saved.persistence.state.isSaving) {
      if (!saved.scheduler.turn()) await saved.drain()
      const key = `s${random.below(6)}`
      client.send('XADD', key, '*', 'f', 'new')
      client.send('XDEL', key, `${random.below(50)}-1`)
      client.send('XACK', key, 'g', `${random.below(50)}-1`)
      client.send('XTRIM', key, 'MAXLEN', String(random.below(100)))
      client.send('XREADGROUP', 'GROUP', 'g', 'd', 'COUNT', '5', 'STREAMS', key, '>')
    }
    expect(datasetDigest(engine.keyspace)).not.toBe(digest)
    expect(saved.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(engine.keyspace)).toBe(digest)
    expect(client.send('XINFO', 'STREAM', 's0', 'FULL', 'COUNT', '0')).toBe(pending)
  })
})
