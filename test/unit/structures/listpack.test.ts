/** Listpacks against bytes that redis-server 7.0.15 gave for the same elements (DUMP of a list, rdbcompression no). */
import { describe, expect, test } from 'vitest'
import { Arena } from '../../../src/memory/arena.ts'
import {
  elementEquals,
  firstElement,
  isValidListpack,
  ListpackReader,
  Listpacks,
  listpackCount,
  nextElement,
  seekElement,
} from '../../../src/structures/listpack.ts'

const ELEMENTS = [
  ...['0', '127', '128', '-1', '4095', '4096', '-4096', '-4097', '32767', '32768', '-32768', '-32769', '8388607'],
  ...['8388608', '-8388608', '-8388609', '2147483647', '2147483648', '-2147483648', '-2147483649'],
  ...['9007199254740991', '9007199254740992', '9223372036854775807', '-9223372036854775808', '9223372036854775808'],
  ...['-0', '007', '+1', ' 1', '', 'a', 'x'.repeat(63), 'y'.repeat(64), '-', '1e3'],
]

const REDIS = [
  '46010000230000017f01c08002dfff02cfff02f1001003d00002f1ffef03f1ff7f03f200800004f1008003f2ff7fff04f2ff',
  'ff7f04f30000800005f200008004f3ffff7fff05f3ffffff7f05f4000000800000000009f30000008005f4ffffff7fffffff',
  'ff09f4ffffffffffff1f0009f4000000000000200009f4ffffffffffffff7f09f40000000000000080099339323233333732',
  '30333638353437373538303814822d30038330303704822b3103822031038001816102bf7878787878787878787878787878',
  '7878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787840',
  'e040797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979',
  '7979797979797979797979797979797942812d028331653304ff',
].join('')

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

describe('listpack', () => {
  test('has the bytes that Redis writes', () => {
    const arena = new Arena()
    const listpacks = new Listpacks(arena)
    let ref = listpacks.create()
    for (const element of ELEMENTS) ref = listpacks.append(ref, bytesOf(element), 0, element.length)
    expect(hexOf(arena, listpacks, ref)).toBe(REDIS)
    let mirrored = listpacks.create()
    for (const element of [...ELEMENTS].reverse()) {
      mirrored = listpacks.prepend(mirrored, bytesOf(element), 0, element.length)
    }
    expect(hexOf(arena, listpacks, mirrored)).toBe(REDIS)
  })

  test('reads the bytes that Redis wrote', () => {
    const bytes = Buffer.from(`00${REDIS}`, 'hex')
    expect(isValidListpack(bytes, 1, bytes.length - 1, true)).toBe(true)
    const reader = new ListpackReader()
    const texts: string[] = []
    for (let at = firstElement(bytes, 1); at !== 0; at = nextElement(bytes, at)) {
      reader.readText(bytes, at)
      texts.push(Buffer.from(reader.bytes).toString('latin1', reader.start, reader.start + reader.length))
      expect(elementEquals(bytes, at, bytesOf(texts.at(-1)!), 0, reader.length)).toBe(true)
      expect(elementEquals(bytes, at, bytesOf('9007199254740993'), 0, 16)).toBe(false)
    }
    expect(texts).toEqual(ELEMENTS)
  })

  test('counts its elements when there are too many for the header', () => {
    const arena = new Arena()
    const listpacks = new Listpacks(arena)
    let ref = listpacks.create(200_000)
    for (let i = 0; i < 65_534; i++) ref = listpacks.append(ref, bytesOf('1'), 0, 1)
    expect(headerCount(arena, ref)).toBe(65_534)
    for (let i = 0; i < 3; i++) ref = listpacks.append(ref, bytesOf('2'), 0, 1)
    expect(headerCount(arena, ref)).toBe(65_535)
    expect(listpacks.count(ref)).toBe(65_537)
    expect(seekElement(arena.view8(ref), arena.at8(ref), 65_536)).toBe(
      seekElement(arena.view8(ref), arena.at8(ref), -1),
    )
    expect(seekElement(arena.view8(ref), arena.at8(ref), 65_537)).toBe(0)
    expect(seekElement(arena.view8(ref), arena.at8(ref), -65_538)).toBe(0)
    ref = listpacks.removeRange(ref, 100, 3)
    expect(headerCount(arena, ref)).toBe(65_535)
    expect(listpackCount(arena.view8(ref), arena.at8(ref))).toBe(65_534)
    expect(headerCount(arena, ref)).toBe(65_534)
  })
})

function headerCount(arena: Arena, ref: number): number {
  const bytes = arena.view8(ref)
  const start = arena.at8(ref)
  return bytes[start + 4]! | (bytes[start + 5]! << 8)
}

function hexOf(arena: Arena, listpacks: Listpacks, ref: number): string {
  const start = arena.at8(ref)
  return Buffer.from(arena.view8(ref).slice(start, start + listpacks.bytes(ref))).toString('hex')
}
