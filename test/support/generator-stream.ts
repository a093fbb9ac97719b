/**
 * Random requests of the stream commands. Ids are given, never made from the clock, and moments are either given or within
 * seconds of each other on both servers, so that all replies can be compared.
 */
import type { CommandGenerator, Draw } from './generator.ts'
import { integersInsideWithin } from './generator-compare.ts'

/** Two servers are asked within this of each other. */
const MS_APART = 20_000
const FIELDS: readonly string[] = ['f', 'g', 'field', '12', '', 'other field']
const GROUPS: readonly string[] = ['g1', 'g1', 'g2', 'grp', '7', '', 'absent']
const CONSUMERS: readonly string[] = ['c1', 'c1', 'c2', 'alice', 'bob', '1', '', 'a\0b', 'c']
const ODD_IDS: readonly string[] = [
  '0-0',
  '0-1',
  '0',
  '-',
  '+',
  '$',
  '>',
  '*',
  '5-',
  '-5',
  '+5',
  ' 5-1',
  '5-+3',
  '5--3',
  '05-01',
  '5-1\x001',
  'x',
  '',
  '1-2-3',
  '5-*',
  '18446744073709551615-18446744073709551615',
  '18446744073709551615-18446744073709551614',
  '18446744073709551615',
  '18446744073709551616',
  '9007199254740993-9007199254740995',
  `${'1'.repeat(130)}-1`,
]

/** Close together, or so far apart that differences take more bytes and keys part early. */
const moment = (draw: Draw) =>
  String(draw.chance(0.7) ? draw.between(1, 40) : draw.between(1, 30) * draw.pick([100, 70_001, 5_000_000_017]))
const smallId = (draw: Draw) =>
  `${moment(draw)}-${draw.chance(0.9) ? draw.below(5) : draw.pick([127, 128, 5000, 70_000])}`
/** An id of an entry that may well be there. */
const id = (draw: Draw): string => {
  if (draw.chance(0.04)) return draw.pick(ODD_IDS.filter((odd) => odd !== '*'))
  return draw.chance(0.15) ? String(draw.between(0, 40)) : smallId(draw)
}
const ids = (draw: Draw, most: number) => draw.several(1, most, () => id(draw))
const bound = (draw: Draw): string => {
  if (draw.chance(0.3)) return draw.pick(['-', '+'])
  return draw.chance(0.3) ? `(${id(draw)}` : id(draw)
}
const count = (draw: Draw) => (draw.chance(0.85) ? String(draw.between(0, 12)) : draw.integer())
const counted = (draw: Draw, probability: number) => draw.maybe(probability, () => [draw.word('COUNT'), count(draw)])
const group = (draw: Draw) => draw.pick(GROUPS)
const consumer = (draw: Draw) => draw.pick(CONSUMERS)
/** Long past, or now: what was delivered at a moment that was given has been pending for long. */
const minIdle = (draw: Draw) => draw.pick(['0', '0', '1000000', '-5', '9223372036854775807'])

function trim(draw: Draw): string[] {
  const threshold = draw.chance(0.6)
    ? [draw.word('MAXLEN'), ...draw.maybe(0.7, () => [draw.pick(['~', '=', '~'])]), count(draw)]
    : [draw.word('MINID'), ...draw.maybe(0.7, () => [draw.pick(['~', '=', '~'])]), id(draw)]
  return [...threshold, ...draw.maybe(0.25, () => [draw.word('LIMIT'), draw.pick(['0', '1', '5', '100', '-1', 'x'])])]
}

function pairs(draw: Draw): string[] {
  const kind = draw.below(10)
  if (kind < 5) return ['f', draw.value()]
  if (kind < 7) return ['f', draw.value(), 'g', draw.integer()]
  return Array.from({ length: draw.between(1, 4) }, () => [draw.pick(FIELDS), draw.value()]).flat()
}

/** Keys and an id for each. */
function streams(draw: Draw, isGroup: boolean): string[] {
  const keys = draw.several(1, draw.chance(0.7) ? 1 : 3, () => draw.key())
  const position = () => {
    if (isGroup) return draw.chance(0.7) ? '>' : draw.chance(0.5) ? '0' : id(draw)
    return draw.chance(0.1) ? '$' : draw.chance(0.4) ? '0' : id(draw)
  }
  return [draw.word('STREAMS'), ...keys, ...keys.map(position)]
}

export const streamGenerators: readonly CommandGenerator[] = [
  {
    name: 'XADD',
    weight: 90,
    words: (draw) => [
      'XADD',
      draw.key(),
      ...draw.maybe(0.04, () => [draw.word('NOMKSTREAM')]),
      ...draw.maybe(0.1, () => trim(draw)),
      draw.chance(0.7) ? `${moment(draw)}-*` : draw.chance(0.95) ? smallId(draw) : id(draw),
      ...pairs(draw),
    ],
    // A spoiled id may be "*", which is nobody's to foretell.
    isSpoiledNever: true,
  },
  { name: 'XLEN', weight: 8, words: (draw) => ['XLEN', draw.key()] },
  {
    name: 'XRANGE',
    weight: 20,
    words: (draw) => ['XRANGE', draw.key(), bound(draw), bound(draw), ...counted(draw, 0.4)],
  },
  {
    name: 'XREVRANGE',
    weight: 20,
    words: (draw) => ['XREVRANGE', draw.key(), bound(draw), bound(draw), ...counted(draw, 0.4)],
  },
  { name: 'XDEL', weight: 20, words: (draw) => ['XDEL', draw.key(), ...ids(draw, 4)] },
  { name: 'XTRIM', weight: 12, words: (draw) => ['XTRIM', draw.key(), ...trim(draw)] },
  {
    name: 'XSETID',
    weight: 5,
    words: (draw) => [
      'XSETID',
      draw.key(),
      id(draw),
      ...draw.maybe(0.4, () => [draw.word('ENTRIESADDED'), draw.integer()]),
      ...draw.maybe(0.4, () => [draw.word('MAXDELETEDID'), id(draw)]),
    ],
  },
  { name: 'XREAD', weight: 12, words: (draw) => ['XREAD', ...counted(draw, 0.4), ...streams(draw, false)] },
  {
    name: 'XREADGROUP',
    weight: 50,
    words: (draw) => [
      'XREADGROUP',
      draw.word('GROUP'),
      group(draw),
      consumer(draw),
      ...counted(draw, 0.7),
      ...draw.maybe(0.15, () => [draw.word('NOACK')]),
      ...streams(draw, true),
    ],
  },
  { name: 'XACK', weight: 12, words: (draw) => ['XACK', draw.key(), group(draw), ...ids(draw, 4)] },
  {
    name: 'XCLAIM',
    weight: 25,
    words: (draw) => [
      'XCLAIM',
      draw.key(),
      group(draw),
      consumer(draw),
      minIdle(draw),
      ...ids(draw, 5),
      ...draw.maybe(0.3, () => [draw.word('TIME'), draw.pick(['1000', '1', '0', '-1', '99999999999999', 'x'])]),
      ...draw.maybe(0.1, () => [draw.word('IDLE'), draw.pick(['0', '5', '-7', '9223372036854775807'])]),
      ...draw.maybe(0.3, () => [draw.word('RETRYCOUNT'), draw.integer()]),
      ...draw.maybe(0.4, () => [draw.word('FORCE')]),
      ...draw.maybe(0.3, () => [draw.word('JUSTID')]),
      ...draw.maybe(0.2, () => [draw.word('LASTID'), id(draw)]),
    ],
  },
  {
    name: 'XAUTOCLAIM',
    weight: 12,
    words: (draw) => [
      'XAUTOCLAIM',
      draw.key(),
      group(draw),
      consumer(draw),
      minIdle(draw),
      bound(draw),
      ...draw.maybe(0.5, () => [draw.word('COUNT'), draw.pick(['1', '2', '5', '0', '-1', 'x'])]),
      ...draw.maybe(0.3, () => [draw.word('JUSTID')]),
    ],
  },
  {
    name: 'XPENDING',
    weight: 15,
    words: (draw) => ['XPENDING', draw.key(), group(draw)],
    compare: integersInsideWithin(MS_APART),
  },
  {
    name: 'XPENDING',
    weight: 15,
    words: (draw) => [
      'XPENDING',
      draw.key(),
      group(draw),
      ...draw.maybe(0.3, () => [draw.word('IDLE'), minIdle(draw)]),
      bound(draw),
      bound(draw),
      count(draw),
      ...draw.maybe(0.4, () => [consumer(draw)]),
    ],
    compare: integersInsideWithin(MS_APART),
  },
  {
    name: 'XGROUP',
    isContainer: true,
    weight: 30,
    words: (draw) => [
      'XGROUP',
      draw.word('CREATE'),
      draw.key(),
      group(draw),
      draw.pick(['$', '0', '0', '-', smallId(draw)]),
      ...draw.maybe(0.3, () => [draw.word('MKSTREAM')]),
      ...draw.maybe(0.2, () => [draw.word('ENTRIESREAD'), draw.integer()]),
    ],
  },
  {
    name: 'XGROUP',
    isContainer: true,
    weight: 8,
    words: (draw) => [
      'XGROUP',
      draw.word('SETID'),
      draw.key(),
      group(draw),
      draw.pick(['$', '0', '-', '+', id(draw), smallId(draw)]),
      ...draw.maybe(0.3, () => [draw.word('ENTRIESREAD'), draw.integer()]),
    ],
  },
  {
    name: 'XGROUP',
    isContainer: true,
    weight: 3,
    words: (draw) => ['XGROUP', draw.word('DESTROY'), draw.key(), group(draw)],
  },
  {
    name: 'XGROUP',
    isContainer: true,
    weight: 8,
    words: (draw) => ['XGROUP', draw.word('CREATECONSUMER', 'DELCONSUMER'), draw.key(), group(draw), consumer(draw)],
  },
  {
    name: 'XINFO',
    isContainer: true,
    weight: 40,
    words: (draw) =>
      draw.chance(0.4)
        ? ['XINFO', draw.word('STREAM'), draw.key()]
        : [
            'XINFO',
            draw.word('STREAM'),
            draw.key(),
            draw.word('FULL'),
            ...draw.maybe(0.4, () => ['COUNT', count(draw)]),
          ],
    compare: integersInsideWithin(MS_APART),
  },
  {
    name: 'XINFO',
    isContainer: true,
    weight: 20,
    words: (draw) =>
      draw.chance(0.5)
        ? ['XINFO', draw.word('GROUPS'), draw.key()]
        : ['XINFO', draw.word('CONSUMERS'), draw.key(), group(draw)],
    compare: integersInsideWithin(MS_APART),
  },
  {
    name: 'XGROUP',
    isContainer: true,
    weight: 1,
    words: (draw) => [draw.word('XGROUP', 'XINFO'), draw.word('HELP'), ...draw.maybe(0.2, () => ['x'])],
  },
]
