/**
 * The bitmap commands against real redis-server: replies, what they propagate and what they announce.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const SIGNED = [1, 2, 5, 8, 16, 31, 32, 33, 53, 62, 63, 64]
const UNSIGNED = [1, 2, 5, 8, 16, 31, 32, 33, 53, 62, 63]
const OPERANDS = [
  '0',
  '1',
  '-1',
  '127',
  '128',
  '-129',
  '65536',
  '2147483648',
  '-2147483649',
  '4294967295',
  '9007199254740991',
  '-9007199254740993',
  '4611686018427387903',
  '4611686018427387904',
  '-4611686018427387905',
  '9223372036854775807',
  '-9223372036854775808',
]

describe.skipIf(!hasRedisServer())('bitmap commands', () => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, ...commands)

  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('SETBIT and GETBIT', async () => {
    await same(
      'SETBIT b 7 1',
      'SETBIT b 7 1',
      'SETBIT b 7 0',
      'SETBIT b 7 0',
      'SETBIT b 100 0',
      'SETBIT b 0 1',
      'GET b',
      'OBJECT ENCODING b',
      'SET n 12345',
      'SETBIT n 1 0',
      'OBJECT ENCODING n',
      'SET n 12345',
      'SETBIT n 0 0',
      'OBJECT ENCODING n',
      'GETBIT n 2',
      'GETBIT n 39',
      'GETBIT n 40',
      'GETBIT n 4294967295',
      'GETBIT n 4294967296',
      'GETBIT n -1',
      'GETBIT n x',
      'GETBIT absent 0',
      'GETBIT absent x',
      'SETBIT b -1 1',
      'SETBIT b 4294967296 1',
      'SETBIT b 9223372036854775808 1',
      'SETBIT b #1 1',
      'SETBIT b x 2',
      'SETBIT b 0 2',
      'SETBIT b 0 -1',
      'SETBIT b 0 x',
      'SETBIT b 0 4294967296',
      'SETBIT b 0 01',
      'SETBIT b 0',
      'SETEX t 100 a',
      'SETBIT t 20 1',
      'PERSIST t',
    )
  })

  test('BITCOUNT', async () => {
    await same(
      'SET s foobar',
      'BITCOUNT s',
      'BITCOUNT s 0 0',
      'BITCOUNT s 1 1',
      'BITCOUNT s 0 -5',
      'BITCOUNT s -2 -1',
      'BITCOUNT s -1 -2',
      'BITCOUNT s 5 30 BIT',
      'BITCOUNT s 5 30 BYTE',
      'BITCOUNT s 5 5 BIT',
      'BITCOUNT s 0 -1 BIT',
      'BITCOUNT s -3 -1 bit',
      'BITCOUNT s 7 8 BIT',
      'BITCOUNT s 100 200 BIT',
      'BITCOUNT s 1 0',
      'BITCOUNT s 0',
      'BITCOUNT s 0 1 2',
      'BITCOUNT s 0 1 BIT x',
      'BITCOUNT s x 1',
      'BITCOUNT s 0 x BAD',
      'BITCOUNT s -1 -2 BAD',
      'BITCOUNT s 0 1 BAD',
      'BITCOUNT s -9223372036854775808 9223372036854775807 BIT',
      'BITCOUNT s -9223372036854775807 -9223372036854775808',
      'BITCOUNT absent x y BAD more',
      'BITCOUNT absent',
      'SET e ""',
      'BITCOUNT e',
      'BITCOUNT e 0 -1',
      'BITCOUNT e 0 0 BIT',
      'SET i 123456',
      'BITCOUNT i',
      'BITCOUNT',
    )
  })

  test('BITPOS', async () => {
    await same(
      ['SET', 'ones', new Uint8Array([255, 255, 255])],
      ['SET', 'zeros', new Uint8Array(3)],
      ['SET', 'mixed', new Uint8Array([0, 15, 240, 255, 0])],
      'SET e ""',
    )
    for (const key of ['ones', 'zeros', 'mixed', 'e', 'absent']) {
      for (const bit of [0, 1]) {
        await same(`BITPOS ${key} ${bit}`)
        for (const start of [0, 1, 2, 3, -1, -2, -100]) {
          await same(`BITPOS ${key} ${bit} ${start}`)
          for (const end of [0, 2, -1, -2, 100]) {
            await same(
              `BITPOS ${key} ${bit} ${start} ${end}`,
              `BITPOS ${key} ${bit} ${start} ${end} BYTE`,
              `BITPOS ${key} ${bit} ${start} ${end} BIT`,
              `BITPOS ${key} ${bit} ${start + 9} ${end + 14} BIT`,
            )
          }
        }
      }
    }
    await same(
      'BITPOS mixed 2',
      'BITPOS mixed x',
      'BITPOS mixed -1',
      'BITPOS absent 2',
      'BITPOS absent 1 x y BAD',
      'BITPOS mixed 1 x',
      'BITPOS mixed 1 0 x',
      'BITPOS mixed 1 0 x BAD',
      'BITPOS mixed 1 x x BAD',
      'BITPOS mixed 1 0 1 BAD',
      'BITPOS mixed 1 0 1 BIT more',
      'BITPOS mixed 1 9223372036854775807',
      'BITPOS mixed 1 -9223372036854775808 9223372036854775807',
      'BITPOS mixed',
    )
  })

  test('BITOP', async () => {
    const bytes = (length: number, step: number) => Uint8Array.from({ length }, (_, i) => i * step + (i >> 3))
    await same(
      ['SET', 'long', bytes(133, 7)],
      ['SET', 'longer', bytes(1000, 13)],
      ['SET', 'far', bytes(40_003, 31)],
      'SET short abc',
      'SET e ""',
      'SET number 12345',
    )
    for (const op of ['AND', 'OR', 'xor']) {
      await same(
        `BITOP ${op} d long longer`,
        'GET d',
        `BITOP ${op} dd longer long far`,
        'GET dd',
        `BITOP ${op} d3 far longer`,
        'GET d3',
        `BITOP ${op} d short long number absent e`,
        'GET d',
        `BITOP ${op} d short`,
        'GET d',
        'OBJECT ENCODING d',
        `BITOP ${op} d absent`,
        'GET d',
        `BITOP ${op} d absent`,
        `BITOP ${op} short short long`,
        'GET short',
        `BITOP ${op} d`,
      )
    }
    await same(
      'BITOP NOT d far',
      'GET d',
      'BITOP NOT number number',
      'GET number',
      'BITOP NOT d e',
      'BITOP NOT d absent',
      'BITOP NOT d a b',
      'BITOP BAD d a',
      'BITOP BAD d a b',
      'SETEX d 100 1',
      'BITOP OR d short',
      'PTTL d',
      'SET d 1 PX 1',
      'WAIT-MS 5',
      'BITOP OR d absent',
      'SET d 1 PX 1',
      'WAIT-MS 5',
      'BITOP OR d short',
      'SET d 1 PX 1',
      'WAIT-MS 5',
      'BITOP OR d d short',
    )
  })

  test('BITFIELD: order of mistakes, growth, propagation', async () => {
    await same(
      'BITFIELD f',
      'BITFIELD f GET u8 0',
      'BITFIELD f SET u8 0 255 GET i8 0 INCRBY u8 0 10',
      'BITFIELD f OVERFLOW SAT INCRBY u8 0 300 OVERFLOW FAIL INCRBY u8 0 1 OVERFLOW WRAP INCRBY u8 0 2',
      'BITFIELD f SET u8 0 1',
      'BITFIELD f SET u8 0 1',
      'BITFIELD f GET u8 #1 SET u4 #3 7 GET u16 0',
      'BITFIELD grown OVERFLOW FAIL SET u1 100 2',
      'GET grown',
      'BITFIELD grown OVERFLOW FAIL SET u1 200 2 SET u1 100 2',
      'STRLEN grown',
      'BITFIELD grown SET u8 300 0 SET u8 0 0',
      'BITFIELD f GET i5 3 GET u63 2 GET i64 1',
      'BITFIELD f GET u64 0',
      'BITFIELD f GET u0 0',
      'BITFIELD f GET i65 0',
      'BITFIELD f GET x8 0',
      'BITFIELD f GET u 0',
      'BITFIELD f GET "" 0',
      'BITFIELD f GET u08 0',
      ['BITFIELD', 'f', 'GET', 'u8\0x', '0'],
      'BITFIELD f GET u8 -1',
      'BITFIELD f GET u8 #-1',
      'BITFIELD f GET u8 #',
      'BITFIELD f GET u8 x',
      'BITFIELD f GET u8 4294967295',
      'BITFIELD f GET u8 4294967296',
      'BITFIELD f GET u8 #536870911',
      'BITFIELD f GET u8 #536870912',
      'BITFIELD f GET u4 #4611686018427387904',
      'BITFIELD f GET u8 #9223372036854775807',
      'BITFIELD f SET u8 0',
      'BITFIELD f SET u8 0 x',
      'BITFIELD f SET u8 x y',
      'BITFIELD f SET y x y',
      'BITFIELD f GET u8',
      'BITFIELD f BAD',
      'BITFIELD f OVERFLOW',
      'BITFIELD f OVERFLOW BAD',
      'BITFIELD f GET u8 0 OVERFLOW BAD GET',
      'BITFIELD f GET u8 0 GET',
      'BITFIELD_RO f GET u8 0 GET u8 #1',
      'BITFIELD_RO f SET u8 0 1',
      'BITFIELD_RO f SET u8 0 x',
      'BITFIELD_RO f OVERFLOW SAT GET u8 0',
      'BITFIELD_RO absent GET i64 100',
      'BITFIELD_RO f',
      'SET n 123',
      'BITFIELD n GET u8 0',
      'OBJECT ENCODING n',
      'BITFIELD n INCRBY u8 0 1',
      'OBJECT ENCODING n',
    )
  })

  test.each(['WRAP', 'SAT', 'FAIL'])('BITFIELD OVERFLOW %s at the limits of each type', async (overflow) => {
    const types = [...SIGNED.map((width) => `i${width}`), ...UNSIGNED.map((width) => `u${width}`)]
    for (const type of types) {
      for (const held of OPERANDS) {
        const words = ['BITFIELD', 'k', 'OVERFLOW', overflow, 'SET', type, '3', held]
        for (const by of OPERANDS) words.push('INCRBY', type, '3', by, 'GET', 'u8', '0', 'SET', type, '3', held)
        await same(words)
      }
    }
    await same('GET k')
  })
})
