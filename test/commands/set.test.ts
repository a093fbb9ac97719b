/**
 * What chance decides in set commands, and what they propagate then: SPOP as SREM or DEL, choices that are even, and the
 * freeing of large sets.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { serverCommands } from '../../src/commands/server/index.ts'
import { setCommands } from '../../src/commands/set/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { createTestEngine, type TestEngine } from '../support/engine.ts'
import { decodeReply } from '../support/resp-client.ts'

const COMMANDS = [...connectionCommands(), ...setCommands, ...genericCommands, ...stringCommands, ...serverCommands]
const numbers = (first: number, count: number) => Array.from({ length: count }, (_, i) => String(first + i))
const names = (count: number) => Array.from({ length: count }, (_, i) => `member:${i}`)

describe('sets', () => {
  let redis: TestEngine
  const send = (...words: (string | number)[]) => decodeReply(Buffer.from(redis.client.send(...words), 'latin1'))
  const fill = (key: string, members: readonly string[]) => {
    for (let i = 0; i < members.length; i += 500) send('SADD', key, ...members.slice(i, i + 500))
  }

  beforeEach(() => {
    redis = createTestEngine(COMMANDS)
  })

  describe('SPOP with a count is propagated as what it removed', () => {
    test.each([
      ['some numbers', numbers(1, 20), 5],
      ['nearly all numbers', numbers(1, 60), 55],
      ['some texts', names(600), 50],
      ['nearly all texts', names(600), 590],
      ['numbers in a table', numbers(1, 700), 695],
    ])('%s', (_, members, count) => {
      fill('s', members)
      redis.effects.length = 0
      const popped = send('SPOP', 's', count) as string[]
      expect(popped).toHaveLength(count)
      expect(redis.effects).toEqual(['0:MULTI', ...popped.map((member) => `0:SREM s ${member}`), '0:EXEC'])
      const rest = send('SMEMBERS', 's') as string[]
      expect([...rest, ...popped].sort()).toEqual([...members].sort())
    })

    test('all: as DEL', () => {
      fill('s', names(10))
      redis.effects.length = 0
      expect(send('SPOP', 's', 10)).toHaveLength(10)
      expect(redis.effects).toEqual(['0:DEL s'])
    })

    test('one: as SREM', () => {
      fill('s', names(10))
      redis.effects.length = 0
      const popped = send('SPOP', 's')
      expect(redis.effects).toEqual([`0:SREM s ${popped}`])
      expect(send('SPOP', 's', 1)).toHaveLength(1)
      expect(redis.effects).toHaveLength(2)
    })
  })

  test('few that SPOP leaves of a table of numbers are an intset again', () => {
    fill('s', numbers(1, 700))
    expect(send('OBJECT', 'ENCODING', 's')).toBe('hashtable')
    send('SPOP', 's', 600)
    expect(send('OBJECT', 'ENCODING', 's')).toBe('intset')
    fill('t', numbers(1, 700))
    send('SPOP', 't', 500)
    expect(send('OBJECT', 'ENCODING', 't')).toBe('hashtable')
  })

  test.each([
    ['an intset', numbers(1, 50)],
    ['a table', names(50)],
    ['a sparse table', names(50)],
  ])('members of %s are chosen evenly', (kind, members) => {
    if (kind === 'a sparse table') fill('s', names(700))
    fill('s', members)
    if (kind === 'a sparse table') for (const name of names(700).slice(50)) send('SREM', 's', name)
    const chiSquare = (draw: () => string[], draws: number) => {
      const counts = new Map(members.map((member) => [member, 0]))
      let drawn = 0
      for (let i = 0; i < draws; i++) {
        for (const member of draw()) {
          counts.set(member, counts.get(member)! + 1)
          drawn++
        }
      }
      const expected = drawn / members.length
      return [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    }
    // With 49 degrees of freedom more than 95 comes once in 10,000 draws; the seed is fixed.
    expect(chiSquare(() => [send('SRANDMEMBER', 's') as string], 4000)).toBeLessThan(95)
    expect(chiSquare(() => send('SRANDMEMBER', 's', -10) as string[], 1000)).toBeLessThan(95)
    expect(chiSquare(() => send('SRANDMEMBER', 's', 5) as string[], 1000)).toBeLessThan(95)
    expect(chiSquare(() => send('SRANDMEMBER', 's', 40) as string[], 1000)).toBeLessThan(95)
    const popAndPutBack = (count: number) => () => {
      const popped = send('SPOP', 's', count) as string[]
      send('SADD', 's', ...popped)
      return popped
    }
    expect(chiSquare(popAndPutBack(3), 1500)).toBeLessThan(95)
    expect(chiSquare(popAndPutBack(45), 400)).toBeLessThan(95)
  })

  test('unions and differences of numbers come in ascending order, as in Redis', () => {
    fill('table', numbers(100, 600))
    send('SREM', 'table', ...numbers(103, 597))
    fill('b', ['7', '-5'])
    expect(send('OBJECT', 'ENCODING', 'table')).toBe('hashtable')
    expect(send('SUNION', 'table', 'b')).toEqual(['-5', '7', '100', '101', '102'])
    expect(send('SUNION', 'b', 'b', 'table', 'b', 'b', 'b')).toEqual(['-5', '7', '100', '101', '102'])
    expect(send('SDIFF', 'table', 'b')).toEqual(['100', '101', '102'])
    expect(send('SPOP', 'table', 3)).toEqual(['100', '101', '102'])
  })

  test('a set that empties bit by bit shrinks, and choosing stays quick', () => {
    fill('s', names(30_000))
    const { sets } = redis.engine.keyspace
    const db = redis.client.session.db
    const root = db.rootOf(db.peek(Buffer.from('s'), 0, 1))
    const full = sets.members.slotCount(root, 0)
    const popped = new Set<unknown>()
    for (let i = 0; i < 29_990; i++) popped.add(send('SPOP', 's'))
    expect(popped.size).toBe(29_990)
    expect(sets.members.slotCount(root, 0)).toBeLessThan(full / 64)
  })

  describe('large sets are freed in steps', () => {
    const COUNT = 5000
    /** Sets `s`, has it removed, and tells what was pending and how many steps it took. */
    const removal = (remove: () => void) => {
      const { arena, lazyFree } = redis.engine.keyspace
      send('SET', 'other', 'x')
      const before = arena.usedBytes
      fill('s', names(COUNT))
      const full = arena.usedBytes
      const freed = lazyFree.freedObjects
      remove()
      expect(send('EXISTS', 's')).toBe(0)
      const pending = lazyFree.pendingObjects
      expect(arena.usedBytes).toBeGreaterThan(full - (full - before) / 2)
      let steps = 0
      while (lazyFree.step(0)) steps++
      expect(steps).toBeGreaterThan(10)
      expect(lazyFree.pendingObjects).toBe(0)
      expect(arena.usedBytes).toBe(before)
      return { pending, freed: lazyFree.freedObjects - freed }
    }

    test('DEL and UNLINK, of which only the latter counts as lazy unless it is configured', () => {
      expect(removal(() => send('DEL', 's'))).toEqual({ pending: 0, freed: 0 })
      expect(removal(() => send('UNLINK', 's'))).toEqual({ pending: 1, freed: 1 })
      redis.engine.settings.lazyUserDel = true
      expect(removal(() => send('DEL', 's'))).toEqual({ pending: 1, freed: 1 })
    })

    test('expiry', () => {
      const expire = () => {
        send('PEXPIRE', 's', 10)
        redis.clock.advance(20)
      }
      expect(removal(expire)).toEqual({ pending: 0, freed: 0 })
      redis.engine.keyspace.lazyFree.expire = true
      expect(removal(expire)).toEqual({ pending: 1, freed: 1 })
    })

    test('overwriting, and moving over it', () => {
      const { lazyFree } = redis.engine.keyspace
      const overwrite = () => {
        send('SET', 's', 'x')
        send('DEL', 's')
      }
      expect(removal(overwrite)).toEqual({ pending: 0, freed: 0 })
      lazyFree.serverDel = true
      expect(removal(overwrite)).toEqual({ pending: 1, freed: 1 })
      expect(
        removal(() => {
          send('SADD', 't', 'a')
          send('RENAME', 't', 's')
          send('DEL', 's')
        }),
      ).toEqual({ pending: 1, freed: 1 })
      expect(
        removal(() => {
          send('SADD', 't', 'a')
          send('SINTERSTORE', 's', 't', 'absent')
          send('DEL', 't')
        }),
      ).toEqual({ pending: 1, freed: 1 })
    })

    test('FLUSHDB of a database that holds one counts its keys alone', () => {
      const flush =
        (...words: string[]) =>
        () => {
          send('SELECT', 1)
          send('SET', 'stays', 'x')
          send('SELECT', 0)
          send('FLUSHDB', ...words)
          send('SELECT', 1)
          send('DEL', 'stays')
          send('SELECT', 0)
        }
      const { arena, lazyFree } = redis.engine.keyspace
      const before = arena.usedBytes
      for (const [word, count] of [
        ['SYNC', 0],
        ['ASYNC', 2],
      ] as const) {
        fill('s', names(COUNT))
        send('SET', 'small', 'x')
        const freed = lazyFree.freedObjects
        flush(word)()
        expect(lazyFree.isIdle).toBe(false)
        while (lazyFree.step(0));
        expect(lazyFree.freedObjects - freed).toBe(count)
        expect(arena.usedBytes).toBe(before)
      }
    })

    test('small ones at once; those above 64 members count', () => {
      const { lazyFree } = redis.engine.keyspace
      for (const [count, freed] of [
        [64, 0],
        [65, 1],
        [250, 1],
      ] as const) {
        const before = lazyFree.freedObjects
        fill('s', names(count))
        send('UNLINK', 's')
        expect(lazyFree.isIdle).toBe(true)
        expect(lazyFree.freedObjects - before).toBe(freed)
      }
      fill('s', numbers(1, 500))
      send('UNLINK', 's')
      expect(lazyFree).toMatchObject({ isIdle: true, freedObjects: 2 })
    })
  })
})
