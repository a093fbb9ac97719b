/** Random requests of the set commands. */
import type { CommandGenerator, Draw } from './generator.ts'
import { sameCount, sameElements, sameScan, sameType } from './generator-compare.ts'

const DOLLAR = 0x24

/** Of few, so that sets meet. */
function member(draw: Draw): string {
  const kind = draw.below(10)
  if (kind < 5) return String(draw.between(-20, 20))
  if (kind < 6) return String(draw.between(-70_000, 70_000))
  return kind < 8 ? draw.pick(['a', 'b', 'c', 'd', 'e', '', 'member']) : draw.value()
}

/** Now and then as many as no intset takes. */
function members(draw: Draw): string[] {
  if (draw.chance(0.97)) return draw.several(1, 6, () => member(draw))
  const first = draw.between(-500, 40_000)
  return Array.from({ length: draw.between(100, 600) }, (_, i) => String(first + i))
}

function keys(draw: Draw): string[] {
  return draw.several(1, draw.chance(0.9) ? 4 : 8, () => draw.key())
}

/** What is popped at random would make the two servers differ: all goes, or nothing. */
function popCount(draw: Draw): string {
  return draw.chance(0.5) ? draw.pick(['100000', '9223372036854775807']) : draw.pick(['0', '-1', 'x', '1.5', ''])
}

function count(draw: Draw): string {
  if (draw.chance(0.85)) return String(draw.between(-30, 60))
  return draw.pick(['0', '1', '1000', '-9223372036854775808', '9223372036854775807', '9223372036854775808', 'x', ''])
}

const unordered = (name: string, weight?: number): CommandGenerator => ({
  name,
  ...(weight === undefined ? {} : { weight }),
  words: (draw) => [name, ...keys(draw)],
  compare: sameElements,
})

const storing = (name: string): CommandGenerator => ({ name, words: (draw) => [name, draw.key(), ...keys(draw)] })

export const setGenerators: readonly CommandGenerator[] = [
  { name: 'SADD', weight: 40, words: (draw) => ['SADD', draw.key(), ...members(draw)] },
  { name: 'SREM', weight: 20, words: (draw) => ['SREM', draw.key(), ...members(draw)] },
  { name: 'SISMEMBER', weight: 6, words: (draw) => ['SISMEMBER', draw.key(), member(draw)] },
  { name: 'SMISMEMBER', weight: 6, words: (draw) => ['SMISMEMBER', draw.key(), ...members(draw)] },
  { name: 'SCARD', weight: 6, words: (draw) => ['SCARD', draw.key()] },
  { name: 'SMEMBERS', words: (draw) => ['SMEMBERS', draw.key()], compare: sameElements },
  { name: 'SMOVE', weight: 15, words: (draw) => ['SMOVE', draw.key(), draw.key(), member(draw)] },
  {
    name: 'SPOP',
    weight: 3,
    // Without its count it would leave it to chance what goes.
    isSpoiledNever: true,
    words: (draw) => ['SPOP', draw.key(), popCount(draw)],
    compare: sameElements,
  },
  {
    name: 'SRANDMEMBER',
    weight: 5,
    words: (draw) => ['SRANDMEMBER', draw.key(), count(draw)],
    // One that lost its count is answered by a single member.
    compare: (ours, theirs) => (ours[0] === DOLLAR ? sameType(ours, theirs) : sameCount(ours, theirs)),
  },
  { name: 'SRANDMEMBER', weight: 3, words: (draw) => ['SRANDMEMBER', draw.key()], compare: sameType },
  unordered('SINTER'),
  unordered('SUNION'),
  unordered('SDIFF'),
  storing('SINTERSTORE'),
  storing('SUNIONSTORE'),
  storing('SDIFFSTORE'),
  {
    name: 'SINTERCARD',
    words: (draw) => {
      const names = keys(draw)
      const numkeys = draw.chance(0.9)
        ? String(names.length)
        : draw.pick(['0', '-1', 'x', '100', '9223372036854775807'])
      const limit = draw.chance(0.9) ? String(draw.between(0, 20)) : draw.integer()
      return ['SINTERCARD', numkeys, ...names, ...draw.maybe(0.4, () => [draw.word('LIMIT'), limit])]
    },
  },
  {
    name: 'SSCAN',
    weight: 8,
    words: (draw) => [
      'SSCAN',
      draw.key(),
      draw.pick(['0', '0', '0', 'x', '']),
      ...draw.maybe(0.3, () => [draw.word('MATCH'), draw.pick(['*', '1*', '-?', '[a-c]', ''])]),
      ...draw.maybe(0.5, () => [draw.word('COUNT'), draw.pick(['1', '10', '1000', '100000', '0', '-1', 'x'])]),
    ],
    compare: sameScan,
  },
]
