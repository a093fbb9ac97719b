/**
 * Listpacks against a plain array: every edit, with bytes checked from outside after each step, by a second reading of
 * the format that goes forward and backward. Bytes that were changed at random are never walked out of.
 */
import { describe, expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { Arena, ArenaFullError, type Ref } from '../../src/memory/arena.ts'
import {
  elementEquals,
  findElement,
  firstElement,
  isValidListpack,
  LISTPACK_EMPTY_BYTES,
  ListpackReader,
  type ListpackRef,
  Listpacks,
  lastElement,
  listpackBytes,
  NO_ELEMENT,
  nextElement,
  previousElement,
  seekElement,
  validNext,
} from '../../src/structures/listpack.ts'
import { oneOf, seededTest } from './seeded.ts'

const STEPS = 400

/** Refuses memory for a while when it is told to. */
class MeagreArena extends Arena {
  refusals = 0

  override allocate(sizeBytes: number): Ref {
    if (this.refusals > 0) {
      this.refusals--
      throw new ArenaFullError('none for now')
    }
    return super.allocate(sizeBytes)
  }
}

const EDGES = [0n, 127n, 128n, 4095n, 4096n, 32_767n, 32_768n, 8_388_607n, 8_388_608n, 2_147_483_647n, 2_147_483_648n]
const BIG_EDGES = [2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n]

function randomText(random: Random): string {
  const kind = random.below(12)
  if (kind < 3) return String(random.below(10 ** (1 + random.below(9))) - random.below(1000))
  if (kind < 5) return String(oneOf(random, [...EDGES, ...BIG_EDGES]) * (random.below(2) === 0 ? 1n : -1n))
  if (kind === 5) return `${random.below(2) === 0 ? '0' : '-0'}${random.below(100)}`
  const length =
    kind < 10 ? random.below(20) : kind === 10 ? oneOf(random, [62, 63, 64, 125, 126, 127]) : random.below(200)
  if (random.below(40) === 0) return 'l'.repeat(oneOf(random, [4094, 4095, 4096, 16_376, 16_379, 16_384, 40_000]))
  return Array.from({ length }, () => String.fromCharCode(97 + random.below(3))).join('')
}

function isIntegerText(text: string): boolean {
  if (!/^(0|-?[1-9][0-9]*)$/.test(text)) return false
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text)
}

function check(arena: Arena, ref: ListpackRef, model: readonly string[]): void {
  const bytes = arena.view8(ref)
  const start = arena.at8(ref)
  expect(isValidListpack(bytes, start, listpackBytes(bytes, start), true)).toBe(true)
  const reader = new ListpackReader()
  let index = 0
  for (let at = firstElement(bytes, start); at !== NO_ELEMENT; at = nextElement(bytes, at)) {
    reader.read(bytes, at)
    if (reader.isInteger !== isIntegerText(model[index]!)) throw new Error(`kind of ${model[index]}`)
    if (reader.isInteger && String(reader.bigInteger()) !== model[index]) throw new Error(`value of ${model[index]}`)
    reader.readText(bytes, at)
    const text = Buffer.from(reader.bytes.buffer, reader.start, reader.length).toString('latin1')
    if (text !== model[index]) throw new Error(`element ${index} is ${text}, not ${model[index]}`)
    index++
  }
  expect(index).toBe(model.length)
  for (let at = lastElement(bytes, start); at !== NO_ELEMENT; at = previousElement(bytes, start, at)) {
    index--
    const text = Buffer.from(model[index]!, 'latin1')
    if (!elementEquals(bytes, at, text, 0, text.length)) throw new Error(`element ${index} from the end`)
  }
  expect(index).toBe(0)
}

describe('listpack', () => {
  seededTest('edits against an array', 12, (random) => {
    const arena = new MeagreArena()
    const listpacks = new Listpacks(arena)
    let ref = listpacks.create(random.below(200))
    let model: string[] = []
    for (let step = 0; step < STEPS; step++) {
      const text = randomText(random)
      const foreign = Buffer.from(`..${text}..`, 'latin1')
      const index = model.length === 0 ? 0 : random.below(model.length)
      const bytes = arena.view8(ref)
      const start = arena.at8(ref)
      const at = seekElement(bytes, start, random.below(2) === 0 ? index : index - model.length)
      const before = [...model]
      let expectAt = -1
      if (random.below(20) === 0) arena.refusals = 1 + random.below(2)
      try {
        switch (random.below(model.length > 60 ? 14 : 11)) {
          case 0:
          case 1:
            model.push(text)
            expectAt = model.length - 1
            ref = listpacks.append(ref, foreign, 2, text.length)
            break
          case 2:
            model.unshift(text)
            expectAt = 0
            ref = listpacks.prepend(ref, foreign, 2, text.length)
            break
          case 3:
            if (at === NO_ELEMENT) break
            model.splice(index, 0, text)
            expectAt = index
            ref = listpacks.insertBefore(ref, at, foreign, 2, text.length)
            break
          case 4:
            if (at === NO_ELEMENT) break
            model.splice(index + 1, 0, text)
            expectAt = index + 1
            ref = listpacks.insertAfter(ref, at, foreign, 2, text.length)
            break
          case 5:
          case 6:
            if (at === NO_ELEMENT) break
            model[index] = text
            expectAt = index
            ref = listpacks.replace(ref, at, foreign, 2, text.length)
            break
          case 7:
            if (at === NO_ELEMENT) break
            model.splice(index, 1)
            expectAt = index
            ref = listpacks.remove(ref, at)
            break
          case 8: {
            const integer = oneOf<number | bigint>(random, [random.below(300) - 150, oneOf(random, BIG_EDGES) - 1n])
            if (random.below(2) === 0 || at === NO_ELEMENT) {
              model.push(String(integer))
              ref = listpacks.appendInteger(ref, integer)
            } else if (random.below(3) > 0) {
              model[index] = String(integer)
              ref = listpacks.replaceInteger(ref, at, integer)
            } else {
              model.splice(index, 0, String(integer))
              ref = listpacks.insertIntegerBefore(ref, at, integer)
            }
            break
          }
          case 9: {
            const copy = listpacks.copy(ref)
            check(arena, copy, model)
            if (random.below(2) === 0 || model.length > 100) {
              listpacks.release(copy)
              break
            }
            model = [...model, ...model]
            try {
              ref = listpacks.merge(ref, copy)
            } catch (error) {
              listpacks.release(copy)
              throw error
            }
            break
          }
          case 10: {
            const taken = listpacks.fromBytes(bytes.slice(start, start + listpacks.bytes(ref)), 0, listpacks.bytes(ref))
            listpacks.release(ref)
            ref = taken
            break
          }
          default: {
            const count = random.below(60)
            const from = random.below(model.length) - (random.below(2) === 0 ? 0 : model.length)
            model.splice(from < 0 ? from + model.length : from, count)
            ref = listpacks.removeRange(ref, from, count)
          }
        }
      } catch (error) {
        if (!(error instanceof ArenaFullError)) throw error
        model = before
        expectAt = -1
      }
      arena.refusals = 0
      check(arena, ref, model)
      expect(listpacks.count(ref)).toBe(model.length)
      if (expectAt >= 0) expect(seekElement(arena.view8(ref), arena.at8(ref), expectAt)).toBe(listpacks.at)
      searchIn(arena, ref, model, random)
    }
    listpacks.release(ref)
    expect(arena.usedBytes).toBe(0)
  })

  seededTest('changed bytes are refused or can be walked over', 400, (random) => {
    const arena = new Arena()
    const listpacks = new Listpacks(arena)
    let ref = listpacks.create()
    for (let i = random.below(12); i >= 0; i--) {
      const text = Buffer.from(randomText(random).slice(0, 200), 'latin1')
      ref = listpacks.append(ref, text, 0, text.length)
    }
    const length = listpacks.bytes(ref)
    const good = arena.view8(ref).slice(arena.at8(ref), arena.at8(ref) + length)
    for (let round = 0; round < 20; round++) {
      // Standing in the middle, so that what is read beyond the end would go unnoticed but for the checks here.
      const bytes = new Uint8Array(length + 40).fill(random.below(256))
      bytes.set(good, 20)
      for (let i = random.below(4); i >= 0; i--) bytes[20 + random.below(length)] = random.below(256)
      const cut = random.below(4) === 0 ? random.below(length + 1) : length
      if (!isValidListpack(bytes, 20, cut, true)) continue
      expect(cut).toBe(length)
      const end = 20 + length - 1
      const positions: number[] = []
      let at = firstElement(bytes, 20)
      for (; at !== NO_ELEMENT; at = nextElement(bytes, at)) {
        expect(validNext(bytes, at, end)).toBeLessThanOrEqual(end)
        positions.push(at)
      }
      for (at = lastElement(bytes, 20); at !== NO_ELEMENT; at = previousElement(bytes, 20, at)) {
        expect(positions.pop()).toBe(at)
      }
      expect(positions).toEqual([])
    }
    expect(isValidListpack(good, 0, length, true)).toBe(true)
    expect(isValidListpack(good, 0, LISTPACK_EMPTY_BYTES - 1, true)).toBe(false)
  })
})

function searchIn(arena: Arena, ref: ListpackRef, model: readonly string[], random: Random): void {
  const bytes = arena.view8(ref)
  const start = arena.at8(ref)
  const text = model.length > 0 && random.below(3) > 0 ? oneOf(random, model) : randomText(random)
  const needle = Buffer.from(`.${text}`, 'latin1')
  const skip = random.below(3)
  const from = model.length === 0 ? 0 : random.below(Math.min(model.length, 5))
  let expected = NO_ELEMENT
  for (let index = from; index < model.length; index += skip + 1) {
    if (model[index] !== text) continue
    expected = seekElement(bytes, start, index)
    break
  }
  const at = seekElement(bytes, start, from)
  expect(findElement(bytes, at, needle, 1, text.length, skip)).toBe(expected)
}
