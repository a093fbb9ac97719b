/** Random requests of the string commands. */
import type { CommandGenerator, Draw } from './generator.ts'

const pairs = (draw: Draw) => Array.from({ length: draw.between(1, 3) }, () => [draw.key(), draw.value()]).flat()
/** Offsets around the end of the longest string allowed in these tests (1 MiB) are rare: such strings are slow to compare. */
const offset = (draw: Draw) =>
  draw.chance(0.995) ? draw.index() : draw.pick(['1048570', '1048575', '1048576', '1048577'])

export const stringGenerators: readonly CommandGenerator[] = [
  {
    name: 'SET',
    weight: 60,
    timed: true,
    words: (draw) => {
      const options = [
        draw.maybe(0.2, () => [draw.word('NX', 'XX')]),
        draw.maybe(0.15, () => [draw.word('GET')]),
        draw.maybe(0.25, () => (draw.chance(0.2) ? [draw.word('KEEPTTL')] : draw.expiry(false))),
        draw.maybe(0.02, () => [draw.word('NX', 'XX', 'GET', 'KEEPTTL', 'PERSIST', 'EX')]),
      ]
      if (draw.chance(0.5)) options.reverse()
      return ['SET', draw.key(), draw.value(), ...options.flat()]
    },
  },
  { name: 'SETNX', words: (draw) => ['SETNX', draw.key(), draw.value()] },
  { name: 'SETEX', timed: true, words: (draw) => ['SETEX', draw.key(), draw.seconds(), draw.value()] },
  { name: 'PSETEX', timed: true, words: (draw) => ['PSETEX', draw.key(), draw.milliseconds(), draw.value()] },
  { name: 'GET', weight: 25, words: (draw) => ['GET', draw.key()] },
  { name: 'GETSET', words: (draw) => ['GETSET', draw.key(), draw.value()] },
  { name: 'GETDEL', words: (draw) => ['GETDEL', draw.key()] },
  {
    name: 'GETEX',
    timed: true,
    words: (draw) => [
      'GETEX',
      draw.key(),
      ...draw.maybe(0.7, () => (draw.chance(0.3) ? [draw.word('PERSIST')] : draw.expiry())),
      ...draw.maybe(0.05, () => [draw.word('PERSIST', 'EX', 'KEEPTTL', 'NX')]),
    ],
  },
  { name: 'MGET', words: (draw) => ['MGET', ...draw.several(1, 4, () => draw.key())] },
  { name: 'MSET', words: (draw) => ['MSET', ...pairs(draw)] },
  { name: 'MSETNX', words: (draw) => ['MSETNX', ...pairs(draw)] },
  { name: 'INCR', words: (draw) => ['INCR', draw.key()] },
  { name: 'DECR', words: (draw) => ['DECR', draw.key()] },
  { name: 'INCRBY', words: (draw) => ['INCRBY', draw.key(), draw.integer()] },
  { name: 'DECRBY', words: (draw) => ['DECRBY', draw.key(), draw.integer()] },
  { name: 'INCRBYFLOAT', weight: 20, words: (draw) => ['INCRBYFLOAT', draw.key(), draw.float()] },
  { name: 'APPEND', words: (draw) => ['APPEND', draw.key(), draw.value()] },
  { name: 'STRLEN', words: (draw) => ['STRLEN', draw.key()] },
  { name: 'SETRANGE', words: (draw) => ['SETRANGE', draw.key(), offset(draw), draw.value()] },
  { name: 'GETRANGE', words: (draw) => ['GETRANGE', draw.key(), draw.index(), draw.index()] },
  { name: 'SUBSTR', weight: 3, words: (draw) => ['SUBSTR', draw.key(), draw.index(), draw.index()] },
  {
    name: 'LCS',
    words: (draw) => [
      'LCS',
      draw.key(),
      draw.key(),
      ...draw.maybe(0.3, () => [draw.word('LEN')]),
      ...draw.maybe(0.4, () => [draw.word('IDX')]),
      ...draw.maybe(0.3, () => [draw.word('MINMATCHLEN'), draw.index()]),
      ...draw.maybe(0.3, () => [draw.word('WITHMATCHLEN')]),
    ],
  },
]
