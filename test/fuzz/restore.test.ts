/**
 * RESTORE with wrong payloads: an error or a value, never anything else, and the server goes on. The checksum is right in
 * half of the cases, so that what is behind it is reached.
 */
import { describe, expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { seededTest } from '../model/seeded.ts'
import { mutated, noise } from '../support/mutate.ts'
import { createTestPersistence } from '../support/persistence.ts'
import { payload } from '../support/rdb-builder.ts'

const ROUNDS = 1000
const ANSWERS = ['+OK\r\n', '-ERR DUMP payload version or checksum are wrong\r\n', '-ERR Bad data format\r\n']

describe('payloads with wrong bytes', () => {
  seededTest('are refused, or restored as far as they make sense', 5, restoreAll)
})

function restoreAll(random: Random): void {
  const { client, engine } = createTestPersistence({ seed: random.int32() >>> 0 })
  const { arena } = engine.keyspace
  const counts = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    client.send(
      'SET',
      'source',
      random.below(3) === 0 ? random.hex(random.below(60)) : 'abcd'.repeat(random.below(300)),
    )
    const reply = Buffer.from(client.send('DUMP', 'source'), 'latin1')
    const good = reply.subarray(reply.indexOf('\n') + 1, -2)
    let bad: Uint8Array
    switch (random.below(4)) {
      case 0:
        bad = mutated(good, random)
        break
      case 1:
        bad = payload(noise(random.below(60), random))
        break
      default:
        bad = payload(mutated(good.subarray(0, -10), random))
    }
    const answer = client.send('RESTORE', 'target', '0', bad, 'REPLACE')
    if (!ANSWERS.includes(answer)) {
      throw new Error(`${answer} for ${Buffer.from(bad).toString('base64')}`)
    }
    counts.set(answer, (counts.get(answer) ?? 0) + 1)
    if (answer === '+OK\r\n') expect(client.send('DUMP', 'target')).toMatch(/^\$/)
    expect(arena.heldBytes).toBeLessThan(16 * 1024 * 1024)
  }
  // Each of the answers came often enough for the run to mean something.
  for (const answer of ANSWERS) expect(counts.get(answer) ?? 0).toBeGreaterThan(ROUNDS / 50)
  expect(engine.keyspace.keyCount()).toBeLessThanOrEqual(2)
}
