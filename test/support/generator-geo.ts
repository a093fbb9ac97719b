/** Random requests of the geo commands. */
import type { CommandGenerator, Draw } from './generator.ts'

/** Keys of their own: members with scores of any kind are places, too, but few searches would find one. */
const GEO_KEYS = ['geo:1', 'geo:2', 'geo:3']

function key(draw: Draw): string {
  return draw.chance(0.9) ? draw.pick(GEO_KEYS) : draw.key()
}

function member(draw: Draw): string {
  return draw.chance(0.9) ? `p${draw.between(0, 60)}` : draw.value()
}

/** Often near to others, seldom at the edges of the world. */
function longitude(draw: Draw): string {
  const kind = draw.below(20)
  if (kind < 12) return String(13 + draw.between(-2000, 2000) / 1000)
  if (kind < 18) return String(draw.between(-180_000, 180_000) / 1000)
  return draw.pick(['180', '-180', '179.9999999', '0', '-0', '180.1', 'x', 'nan', '1e3', '12.3456789012345'])
}

function latitude(draw: Draw): string {
  const kind = draw.below(20)
  if (kind < 12) return String(38 + draw.between(-2000, 2000) / 1000)
  if (kind < 18) return String(draw.between(-85_000, 85_000) / 1000)
  return draw.pick(['85.05112878', '-85.05112878', '85.05112877', '0', '90', '-90', '67.5', '81', 'x', '1e-5'])
}

function unit(draw: Draw): string {
  return draw.chance(0.97) ? draw.word('M', 'KM', 'FT', 'MI') : draw.value()
}

function radius(draw: Draw): string {
  const kind = draw.below(20)
  if (kind < 14) return String(draw.between(0, 3000) / draw.pick([1, 10, 100]))
  if (kind < 18) return String(draw.between(0, 30_000_000))
  return draw.pick(['0', '-1', 'x', '1e7', 'inf', '6371000', '20037726.37'])
}

function details(draw: Draw): readonly string[][] {
  return [
    [...draw.maybe(0.4, () => [draw.word('WITHDIST')])],
    [...draw.maybe(0.3, () => [draw.word('WITHHASH')])],
    [...draw.maybe(0.3, () => [draw.word('WITHCOORD')])],
  ]
}

function selection(draw: Draw): readonly string[][] {
  const count = () =>
    draw.chance(0.93) ? String(draw.between(1, 15)) : draw.pick(['0', '-1', 'x', '9223372036854775807'])
  return [
    [...draw.maybe(0.5, () => [draw.word('ASC', 'DESC')])],
    [...draw.maybe(0.4, () => [draw.word('COUNT'), count(), ...draw.maybe(0.4, () => [draw.word('ANY')])])],
  ]
}

function shuffled(draw: Draw, groups: readonly string[][]): string[] {
  const left = [...groups]
  const words: string[] = []
  while (left.length > 0) words.push(...left.splice(draw.below(left.length), 1)[0]!)
  return words
}

function byWords(draw: Draw): string[][] {
  const from = draw.chance(0.6)
    ? [draw.word('FROMLONLAT'), longitude(draw), latitude(draw)]
    : [draw.word('FROMMEMBER'), member(draw)]
  const by = draw.chance(0.6)
    ? [draw.word('BYRADIUS'), radius(draw), unit(draw)]
    : [draw.word('BYBOX'), radius(draw), radius(draw), unit(draw)]
  return [from, by]
}

const TARGETS = ['geo:stored', ...GEO_KEYS]

/**
 * A C library rounds one distance of some hundreds otherwise than is correct, which a machine beside may do or not: the
 * distances stored here are 0, that of a member from itself. Others are compared in test/compat/geo.test.ts.
 */
const around = (name: string, mayStore: boolean, byMember: boolean): CommandGenerator => ({
  name,
  words: (draw) => {
    const center = byMember ? [member(draw)] : [longitude(draw), latitude(draw)]
    const words = [name, key(draw), ...center, radius(draw), unit(draw)]
    if (!mayStore || draw.chance(0.7)) return [...words, ...shuffled(draw, [...selection(draw), ...details(draw)])]
    if (byMember && draw.chance(0.5))
      return [...words, draw.word('COUNT'), '1', draw.word('STOREDIST'), draw.pick(TARGETS)]
    const more = draw.chance(0.9) ? [] : details(draw)
    return [...words, ...shuffled(draw, [...selection(draw), [draw.word('STORE'), draw.pick(TARGETS)], ...more])]
  },
})

export const geoGenerators: readonly CommandGenerator[] = [
  {
    name: 'GEOADD',
    weight: 40,
    words: (draw) => [
      'GEOADD',
      key(draw),
      ...draw.maybe(0.1, () => [draw.word('NX', 'XX')]),
      ...draw.maybe(0.2, () => [draw.word('CH')]),
      ...Array.from({ length: draw.chance(0.95) ? draw.between(1, 4) : draw.between(100, 150) }, (_, i) => [
        longitude(draw),
        latitude(draw),
        i > 10 ? `q${i}` : member(draw),
      ]).flat(),
    ],
  },
  {
    name: 'GEODIST',
    words: (draw) => ['GEODIST', key(draw), member(draw), member(draw), ...draw.maybe(0.6, () => [unit(draw)])],
  },
  { name: 'GEOPOS', words: (draw) => ['GEOPOS', key(draw), ...draw.several(1, 4, () => member(draw))] },
  { name: 'GEOHASH', words: (draw) => ['GEOHASH', key(draw), ...draw.several(1, 4, () => member(draw))] },
  {
    name: 'GEOSEARCH',
    weight: 25,
    words: (draw) => [
      'GEOSEARCH',
      key(draw),
      ...shuffled(draw, [...byWords(draw), ...selection(draw), ...details(draw)]),
    ],
  },
  {
    name: 'GEOSEARCHSTORE',
    weight: 12,
    words: (draw) => [
      'GEOSEARCHSTORE',
      draw.pick(TARGETS),
      key(draw),
      ...shuffled(draw, [...byWords(draw), ...selection(draw), [...draw.maybe(0.03, () => [draw.word('WITHDIST')])]]),
    ],
  },
  {
    name: 'GEOSEARCHSTORE',
    weight: 5,
    words: (draw) => {
      const groups = [
        ['FROMMEMBER', member(draw)],
        ['BYRADIUS', radius(draw), unit(draw)],
        ['COUNT', '1'],
        ['STOREDIST'],
      ]
      return ['GEOSEARCHSTORE', draw.pick(TARGETS), key(draw), ...shuffled(draw, groups)]
    },
  },
  around('GEORADIUS', true, false),
  around('GEORADIUS_RO', false, false),
  around('GEORADIUSBYMEMBER', true, true),
  around('GEORADIUSBYMEMBER_RO', false, true),
  {
    name: 'ZRANGE',
    weight: 12,
    words: (draw) => ['ZRANGE', draw.pick(TARGETS), '0', '-1', 'WITHSCORES'],
  },
]
