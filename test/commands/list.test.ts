/**
 * Lists in process: what is freed later, what is propagated for commands that ask for more than there is, and replies in
 * both protocols.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { listCommands } from '../../src/commands/list/index.ts'
import { createTestEngine, type TestEngine } from '../support/engine.ts'
import { decodeReply } from '../support/resp-client.ts'

const COMMANDS = [...connectionCommands(), ...listCommands, ...genericCommands]
const LONG = 'x'.repeat(100)
const LENGTH = 60_000

describe('lists', () => {
  let redis: TestEngine
  const raw = (...words: (string | number)[]) => redis.client.send(...words)
  const send = (...words: (string | number)[]) => decodeReply(Buffer.from(raw(...words), 'latin1'))
  const fill = (key: string, length: number) => {
    for (let at = 0; at < length; at += 500) {
      send('RPUSH', key, ...Array.from({ length: Math.min(500, length - at) }, (_, i) => `${LONG}${at + i}`))
    }
  }

  beforeEach(() => {
    redis = createTestEngine(COMMANDS)
  })

  test.each([
    ['LTRIM', ['LTRIM', 'l', 10, 20], 11],
    ['LTRIM of the middle', ['LTRIM', 'l', 30_000, 30_500], 501],
    ['LTRIM of all', ['LTRIM', 'l', 1, 0], 0],
    ['LPOP', ['LPOP', 'l', LENGTH - 5], 5],
    ['RPOP', ['RPOP', 'l', LENGTH], 0],
    ['DEL', ['DEL', 'l'], 0],
  ])('%s does not wait for the memory of what goes', (_, words, left) => {
    const { arena, lazyFree } = redis.engine.keyspace
    const before = arena.usedBytes
    fill('l', LENGTH)
    const held = arena.usedBytes - before
    expect(held).toBeGreaterThan(LENGTH * LONG.length)
    send(...(words as (string | number)[]))
    expect(send('LLEN', 'l')).toBe(left)
    expect(lazyFree.isIdle).toBe(false)
    expect(arena.usedBytes - before).toBeGreaterThan(held / 2)
    let steps = 0
    while (lazyFree.step(0)) steps++
    expect(steps).toBeGreaterThan(1)
    expect(arena.usedBytes - before).toBeLessThan(held / 20)
    send('DEL', 'l')
    while (lazyFree.step(0));
    expect(arena.usedBytes).toBe(before)
  })

  test('what is trimmed away is what should be', () => {
    fill('l', 3000)
    send('LTRIM', 'l', 1000, -1001)
    expect(send('LRANGE', 'l', 0, -1)).toEqual(Array.from({ length: 1000 }, (_, i) => `${LONG}${1000 + i}`))
    expect(send('LPOP', 'l', 300)).toEqual(Array.from({ length: 300 }, (_, i) => `${LONG}${1000 + i}`))
    expect(send('RPOP', 'l', 300)).toEqual(Array.from({ length: 300 }, (_, i) => `${LONG}${1999 - i}`))
    expect(send('LINDEX', 'l', 0)).toBe(`${LONG}1300`)
    expect(send('LINDEX', 'l', -1)).toBe(`${LONG}1699`)
  })

  test('LMPOP is propagated with the count that there was', () => {
    send('RPUSH', 'l', 1, 2, 3)
    redis.effects.length = 0
    send('LMPOP', 2, 'absent', 'l', 'RIGHT', 'COUNT', 10)
    send('LMPOP', 1, 'l', 'LEFT')
    expect(redis.effects).toEqual(['0:RPOP l 3'])
  })

  test('nulls of both protocols', () => {
    expect(raw('LPOP', 'l')).toBe('$-1\r\n')
    expect(raw('LPOP', 'l', 1)).toBe('*-1\r\n')
    expect(raw('LMPOP', 1, 'l', 'LEFT')).toBe('*-1\r\n')
    expect(raw('LPOS', 'l', 'x')).toBe('$-1\r\n')
    raw('HELLO', 3)
    for (const words of [
      ['LPOP', 'l'],
      ['LPOP', 'l', 1],
      ['LMPOP', 1, 'l', 'LEFT'],
      ['LPOS', 'l', 'x'],
    ]) {
      expect(raw(...words)).toBe('_\r\n')
    }
    expect(raw('LPOS', 'l', 'x', 'COUNT', 1)).toBe('*0\r\n')
  })

  test('an element may move within its own node', () => {
    send('RPUSH', 'l', 'a', LONG, 'b')
    for (let i = 0; i < 200; i++)
      send('LMOVE', 'l', 'l', i % 3 === 0 ? 'LEFT' : 'RIGHT', i % 2 === 0 ? 'LEFT' : 'RIGHT')
    expect((send('LRANGE', 'l', 0, -1) as string[]).sort()).toEqual(['a', 'b', LONG])
  })

  test('a queue takes no more memory the longer it runs', () => {
    const { arena } = redis.engine.keyspace
    for (let i = 0; i < 300; i++) send('RPUSH', 'q', `${LONG}${i}`)
    const before = arena.usedBytes
    for (let i = 300; i < 6000; i++) {
      send('RPUSH', 'q', `${LONG}${i}`)
      expect(send('LPOP', 'q')).toBe(`${LONG}${i - 300}`)
    }
    expect(arena.usedBytes).toBeLessThan(before * 1.3)
    for (let i = 0; i < 300; i++) send('LPOP', 'q')
    expect(send('EXISTS', 'q')).toBe(0)
  })
})
