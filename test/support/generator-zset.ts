/** Random requests of the commands on sorted sets. */
import type { CommandGenerator, Draw } from './generator.ts'
import { sameCount, sameScan, sameType } from './generator-compare.ts'

const BAD_SCORES = ['nan', 'x', '', '1.5x', ' 1', '1e400', '(1']

/** Of few, so that sorted sets meet, and scores are equal. */
function member(draw: Draw): string {
  const kind = draw.below(20)
  if (kind < 10) return draw.pick(['a', 'b', 'c', 'd', 'e', 'f', 'aa', 'ab', 'abc', '', 'member'])
  if (kind < 16) return String(draw.between(-20, 20))
  return kind < 18 ? draw.text(draw.between(1, 70)) : draw.value()
}

function score(draw: Draw): string {
  const kind = draw.below(20)
  if (kind < 12) return String(draw.between(-5, 12))
  if (kind < 15) return String(draw.between(-100, 100) / draw.pick([2, 3, 4, 8, 10]))
  if (kind < 18)
    return draw.pick(['inf', '-inf', '+inf', '0', '-0', '1e20', '4611686018427387904', '9007199254740993', '1e-7'])
  return draw.chance(0.9) ? draw.float() : draw.pick(BAD_SCORES)
}

/** Now and then as many as no listpack takes. */
function pairs(draw: Draw): string[] {
  if (draw.chance(0.97)) return draw.several(1, 5, () => '').flatMap(() => [score(draw), member(draw)])
  const sameScore = draw.chance(0.5) ? score(draw) : null
  const first = draw.between(0, 100)
  return Array.from({ length: draw.between(60, 150) }, (_, i) => [
    sameScore ?? String(draw.between(-9, 9)),
    `m${first + i}`,
  ]).flat()
}

function scoreBound(draw: Draw): string {
  const bound = draw.chance(0.2) ? draw.pick(['-inf', '+inf', 'inf']) : score(draw)
  return draw.chance(0.3) ? `(${bound}` : bound
}

/**
 * What a range of bytes is where scores differ depends on chance in a skiplist, not in a listpack: these keys hold members
 * of one score, or few members.
 */
const SAME_SCORE_KEYS = ['lex:1', 'lex:2']
const SMALL_KEY = 'lex:small'

function lexKey(draw: Draw): string {
  return draw.chance(0.7) ? draw.pick(SAME_SCORE_KEYS) : SMALL_KEY
}

function lexPairs(draw: Draw): string[] {
  if (draw.chance(0.3))
    return [SMALL_KEY, String(draw.between(-3, 3)), draw.pick(['a', 'b', 'c', 'd', 'aa', 'ab', '', '7', '-3'])]
  const count = draw.chance(0.8) ? draw.between(1, 5) : draw.between(60, 150)
  return [draw.pick(SAME_SCORE_KEYS), ...Array.from({ length: count }, () => ['0', member(draw)]).flat()]
}

function lexBound(draw: Draw): string {
  if (draw.chance(0.3)) return draw.pick(['-', '+'])
  return draw.chance(0.95) ? draw.pick(['[', '(']) + member(draw) : draw.pick(['a', '', '-x', '+\0', '1'])
}

function limit(draw: Draw): readonly string[] {
  const number = () => (draw.chance(0.9) ? String(draw.between(-3, 20)) : draw.integer())
  return draw.maybe(0.35, () => [draw.word('LIMIT'), number(), number()])
}

function shuffled(draw: Draw, groups: (readonly string[])[]): string[] {
  const left = [...groups]
  const words: string[] = []
  while (left.length > 0) words.push(...left.splice(draw.below(left.length), 1)[0]!)
  return words
}

/** Key, bounds and options of ZRANGE and ZRANGESTORE. */
function range(draw: Draw, mayShow: boolean): string[] {
  const by = draw.pick(['', 'BYSCORE'])
  const bound = by === '' ? () => draw.index() : () => scoreBound(draw)
  const groups = [
    by === '' ? [] : [draw.word(by)],
    draw.maybe(0.4, () => [draw.word('REV')]),
    by === '' && draw.chance(0.95) ? [] : limit(draw),
    mayShow ? draw.maybe(0.4, () => [draw.word('WITHSCORES')]) : [],
  ]
  return [draw.key(), bound(), bound(), ...shuffled(draw, groups)]
}

function lexRange(draw: Draw, mayShow: boolean): string[] {
  const groups = [
    [draw.word('BYLEX')],
    draw.maybe(0.4, () => [draw.word('REV')]),
    limit(draw),
    mayShow ? draw.maybe(0.03, () => [draw.word('WITHSCORES')]) : [],
  ]
  return [lexKey(draw), lexBound(draw), lexBound(draw), ...shuffled(draw, groups)]
}

function keys(draw: Draw): string[] {
  const names = draw.several(1, draw.chance(0.9) ? 3 : 6, () => draw.key())
  const count = draw.chance(0.95)
    ? String(names.length)
    : draw.pick(['0', '-1', 'x', '100', '1', '9223372036854775807'])
  return [count, ...names]
}

/** Weights without rounding that depends on the order of addition would miss what matters: the order is Redis's. */
function combined(draw: Draw, weighs: boolean, mayShow: boolean): string[] {
  const names = keys(draw)
  const count = names.length - 1
  const groups: (readonly string[])[] = [mayShow ? draw.maybe(0.5, () => [draw.word('WITHSCORES')]) : []]
  if (weighs || draw.chance(0.02)) {
    groups.push(draw.maybe(0.4, () => [draw.word('WEIGHTS'), ...Array.from({ length: count }, () => score(draw))]))
    groups.push(draw.maybe(0.4, () => [draw.word('AGGREGATE'), draw.word('SUM', 'MIN', 'MAX')]))
  }
  return [...names, ...shuffled(draw, groups)]
}

function count(draw: Draw): string {
  if (draw.chance(0.85)) return String(draw.between(-30, 60))
  return draw.pick(['0', '1', '1000', '-9223372036854775808', '9223372036854775807', '9223372036854775808', 'x', ''])
}

function popCount(draw: Draw): string {
  return draw.chance(0.85) ? String(draw.between(0, 6)) : draw.pick(['1000', '-1', 'x', '9223372036854775807', '0', ''])
}

const ranged = (name: string, bound: (draw: Draw) => string, weight?: number): CommandGenerator => ({
  name,
  ...(weight === undefined ? {} : { weight }),
  words: (draw) => [name, bound === lexBound ? lexKey(draw) : draw.key(), bound(draw), bound(draw)],
})

const rangedBy = (name: string, bound: (draw: Draw) => string, mayShow: boolean): CommandGenerator => ({
  name,
  words: (draw) => [
    name,
    bound === lexBound ? lexKey(draw) : draw.key(),
    bound(draw),
    bound(draw),
    ...shuffled(draw, [limit(draw), mayShow ? draw.maybe(0.4, () => [draw.word('WITHSCORES')]) : []]),
  ],
})

const combining = (name: string, weighs: boolean): readonly CommandGenerator[] => [
  { name, words: (draw) => [name, ...combined(draw, weighs, true)] },
  { name: `${name}STORE`, words: (draw) => [`${name}STORE`, draw.key(), ...combined(draw, weighs, false)] },
]

export const zsetGenerators: readonly CommandGenerator[] = [
  {
    name: 'ZADD',
    weight: 60,
    words: (draw) => {
      const options = shuffled(draw, [
        draw.maybe(0.15, () => [draw.word('NX')]),
        draw.maybe(0.15, () => [draw.word('XX')]),
        draw.maybe(0.12, () => [draw.word('GT')]),
        draw.maybe(0.12, () => [draw.word('LT')]),
        draw.maybe(0.3, () => [draw.word('CH')]),
      ])
      if (draw.chance(0.15)) return ['ZADD', draw.key(), ...options, draw.word('INCR'), score(draw), member(draw)]
      return ['ZADD', draw.key(), ...options, ...pairs(draw)]
    },
  },
  { name: 'ZADD', weight: 20, isSpoiledNever: true, words: (draw) => ['ZADD', ...lexPairs(draw)] },
  { name: 'ZREM', weight: 6, words: (draw) => ['ZREM', lexKey(draw), ...draw.several(1, 4, () => member(draw))] },
  { name: 'ZINCRBY', weight: 15, words: (draw) => ['ZINCRBY', draw.key(), score(draw), member(draw)] },
  { name: 'ZREM', weight: 15, words: (draw) => ['ZREM', draw.key(), ...draw.several(1, 4, () => member(draw))] },
  { name: 'ZSCORE', weight: 6, words: (draw) => ['ZSCORE', draw.key(), member(draw)] },
  { name: 'ZMSCORE', weight: 6, words: (draw) => ['ZMSCORE', draw.key(), ...draw.several(1, 4, () => member(draw))] },
  { name: 'ZCARD', weight: 5, words: (draw) => ['ZCARD', draw.key()] },
  { name: 'ZRANK', weight: 8, words: (draw) => ['ZRANK', draw.key(), member(draw)] },
  { name: 'ZREVRANK', weight: 8, words: (draw) => ['ZREVRANK', draw.key(), member(draw)] },
  ranged('ZCOUNT', scoreBound),
  ranged('ZLEXCOUNT', lexBound),
  ranged('ZREMRANGEBYRANK', (draw) => draw.index(), 4),
  ranged('ZREMRANGEBYSCORE', scoreBound, 4),
  ranged('ZREMRANGEBYLEX', lexBound, 4),
  { name: 'ZRANGE', weight: 30, words: (draw) => ['ZRANGE', ...range(draw, true)] },
  { name: 'ZRANGESTORE', weight: 15, words: (draw) => ['ZRANGESTORE', draw.key(), ...range(draw, false)] },
  { name: 'ZRANGE', weight: 15, words: (draw) => ['ZRANGE', ...lexRange(draw, true)] },
  {
    name: 'ZRANGESTORE',
    weight: 5,
    isSpoiledNever: true,
    words: (draw) => ['ZRANGESTORE', draw.key(), ...lexRange(draw, false)],
  },
  {
    name: 'ZREVRANGE',
    words: (draw) => [
      'ZREVRANGE',
      draw.key(),
      draw.index(),
      draw.index(),
      ...draw.maybe(0.4, () => [draw.word('WITHSCORES')]),
    ],
  },
  rangedBy('ZRANGEBYSCORE', scoreBound, true),
  rangedBy('ZREVRANGEBYSCORE', scoreBound, true),
  rangedBy('ZRANGEBYLEX', lexBound, false),
  rangedBy('ZREVRANGEBYLEX', lexBound, false),
  { name: 'ZPOPMIN', weight: 6, words: (draw) => ['ZPOPMIN', draw.key(), ...draw.maybe(0.6, () => [popCount(draw)])] },
  { name: 'ZPOPMAX', weight: 6, words: (draw) => ['ZPOPMAX', draw.key(), ...draw.maybe(0.6, () => [popCount(draw)])] },
  {
    name: 'ZMPOP',
    weight: 8,
    words: (draw) => [
      'ZMPOP',
      ...keys(draw),
      draw.word('MIN', 'MAX'),
      ...draw.maybe(0.5, () => [draw.word('COUNT'), popCount(draw)]),
    ],
  },
  {
    name: 'ZRANDMEMBER',
    weight: 6,
    words: (draw) => ['ZRANDMEMBER', draw.key(), count(draw), ...draw.maybe(0.5, () => [draw.word('WITHSCORES')])],
    compare: sameCount,
  },
  { name: 'ZRANDMEMBER', weight: 3, words: (draw) => ['ZRANDMEMBER', draw.key()], compare: sameType },
  ...combining('ZUNION', true),
  ...combining('ZINTER', true),
  ...combining('ZDIFF', false),
  {
    name: 'ZINTERCARD',
    words: (draw) => {
      const least = draw.chance(0.9) ? String(draw.between(0, 20)) : draw.integer()
      return ['ZINTERCARD', ...keys(draw), ...draw.maybe(0.4, () => [draw.word('LIMIT'), least])]
    },
  },
  {
    name: 'ZSCAN',
    weight: 8,
    words: (draw) => [
      'ZSCAN',
      draw.key(),
      draw.pick(['0', '0', '0', 'x', '']),
      ...draw.maybe(0.3, () => [draw.word('MATCH'), draw.pick(['*', 'a*', 'm?', '[a-c]', ''])]),
      ...draw.maybe(0.4, () => [draw.word('COUNT'), draw.pick(['1', '10', '1000', '0', 'x'])]),
      ...draw.maybe(0.02, () => [draw.word('TYPE'), 'zset']),
    ],
    compare: sameScan,
  },
]
