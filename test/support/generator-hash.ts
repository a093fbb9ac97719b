/**
 * Random requests of the hash commands that redis-server 7.0.15 has. Fields are few, so that commands meet; sizes sit around
 * the limits of listpacks (64 bytes, and 512 fields once in a while).
 */
import type { CommandGenerator, Draw } from './generator.ts'
import { type Comparison, sameCount, sameElements, sameScan, sameType } from './generator-compare.ts'

const FIELDS: readonly string[] = ['f', 'g', 'field', 'a', 'b', '', '0', '1', '-1', '12', '4095', '123456', '\0\xff']

function field(draw: Draw): string {
  if (draw.chance(0.9)) return draw.pick(FIELDS)
  return draw.chance(0.5) ? draw.text(draw.pick([63, 64, 65])) : draw.value()
}

/** Mostly numbers, so that HINCRBY finds some. */
function value(draw: Draw): string {
  if (draw.chance(0.03)) return draw.text(draw.pick([63, 64, 65]))
  return draw.chance(0.4) ? draw.integer() : draw.chance(0.3) ? draw.float() : draw.value()
}

function pairs(draw: Draw): string[] {
  if (draw.chance(0.97)) return Array.from({ length: draw.between(1, 5) }, () => [field(draw), value(draw)]).flat()
  const first = draw.between(0, 2000)
  const count = draw.pick([100, 255, 511, 512, 513])
  return Array.from({ length: count }, (_, i) => [`n${first + i}`, String(i)]).flat()
}

function count(draw: Draw): string {
  if (draw.chance(0.85)) return String(draw.between(-30, 60))
  return draw.pick(['0', '1', '600', '-9223372036854775808', '9223372036854775807', '9223372036854775808', 'x', ''])
}

/** A map, or the flat array of RESP2: the same pairs in any order. */
const samePairs: Comparison = (ours, theirs) => {
  if (ours.equals(theirs)) return null
  const [one, other] = [ours, theirs].map((reply) => {
    const header = /^%(\d+)\r\n/.exec(reply.toString('latin1', 0, 24))
    if (header === null) return reply
    return Buffer.concat([Buffer.from(`*${Number(header[1]) * 2}\r\n`), reply.subarray(header[0].length)])
  })
  return ours[0] === theirs[0] ? sameElements(one!, other!) : 'the replies differ'
}

export const hashGenerators: readonly CommandGenerator[] = [
  { name: 'HSET', weight: 50, words: (draw) => ['HSET', draw.key(), ...pairs(draw)] },
  { name: 'HMSET', weight: 8, words: (draw) => ['HMSET', draw.key(), ...pairs(draw)] },
  { name: 'HSETNX', words: (draw) => ['HSETNX', draw.key(), field(draw), value(draw)] },
  { name: 'HGET', words: (draw) => ['HGET', draw.key(), field(draw)] },
  { name: 'HMGET', words: (draw) => ['HMGET', draw.key(), ...draw.several(1, 5, () => field(draw))] },
  { name: 'HGETALL', words: (draw) => ['HGETALL', draw.key()], compare: samePairs },
  { name: 'HKEYS', weight: 5, words: (draw) => ['HKEYS', draw.key()], compare: sameElements },
  { name: 'HVALS', weight: 5, words: (draw) => ['HVALS', draw.key()], compare: sameElements },
  { name: 'HLEN', words: (draw) => ['HLEN', draw.key()] },
  { name: 'HDEL', weight: 25, words: (draw) => ['HDEL', draw.key(), ...draw.several(1, 6, () => field(draw))] },
  { name: 'HEXISTS', words: (draw) => ['HEXISTS', draw.key(), field(draw)] },
  { name: 'HSTRLEN', words: (draw) => ['HSTRLEN', draw.key(), field(draw)] },
  { name: 'HINCRBY', weight: 20, words: (draw) => ['HINCRBY', draw.key(), field(draw), draw.integer()] },
  { name: 'HINCRBYFLOAT', weight: 20, words: (draw) => ['HINCRBYFLOAT', draw.key(), field(draw), draw.float()] },
  { name: 'HRANDFIELD', weight: 3, words: (draw) => ['HRANDFIELD', draw.key()], compare: sameType },
  {
    name: 'HRANDFIELD',
    weight: 6,
    isSpoiledNever: true,
    words: (draw) => [
      'HRANDFIELD',
      draw.key(),
      count(draw),
      ...draw.maybe(0.4, () => [draw.word('WITHVALUES', 'WITHSCORES')]),
    ],
    compare: sameCount,
  },
  {
    name: 'HSCAN',
    // Where a scan goes on from any cursor but 0 depends on the seed of the hash function.
    isSpoiledNever: true,
    words: (draw) => [
      'HSCAN',
      draw.key(),
      draw.chance(0.95) ? '0' : draw.pick(['x', '', '1.5', '18446744073709551616']),
      ...draw.maybe(0.3, () => [draw.word('MATCH'), draw.pick(['*', 'f*', '[a-b]', 'n1*', '?', ''])]),
      ...draw.maybe(0.4, () => [
        draw.word('COUNT'),
        draw.chance(0.9) ? draw.pick(['1', '10', '1000']) : draw.integer(),
      ]),
      ...draw.maybe(0.02, () => [draw.word('TYPE'), 'hash']),
    ],
    compare: sameScan,
  },
]
