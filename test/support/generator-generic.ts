/** Random requests of the commands on keys of any type, and on databases. */
import type { CommandGenerator, Draw } from './generator.ts'
import { integersWithin, sameCount, sameDump, sameElements, sameType } from './generator-compare.ts'

/** Two servers are asked within this of each other. */
const SECONDS_APART = 3
const MS_APART = 5000

const keys = (draw: Draw) => draw.several(1, 3, () => draw.key())
const condition = (draw: Draw) =>
  draw.maybe(0.4, () => draw.several(1, draw.chance(0.8) ? 1 : 2, () => draw.word('NX', 'XX', 'GT', 'LT')))
const database = (draw: Draw) =>
  draw.chance(0.93) ? String(draw.below(3)) : draw.pick(['16', '-1', 'x', '99999999999'])
const pattern = (draw: Draw) => draw.pick(['*', 'key:*', '?', '[a-c]', '[^a-c]*', '', '*e*', '\\*', '{t}*', 'a'])

/** What DUMP of redis-server 7.0.15 gives for small strings of each encoding, as hexadecimal digits. */
const PAYLOADS: readonly string[] = [
  '00000a005d9b5c400f7fa2da',
  '00c0070a0074cd48a283abce92',
  '00c1d4fe0a00c6c48623febede2e',
  '00c2701101000a0001a408fe953095a5',
  '0013393232333337323033363835343737353830370a003a657e9481e85f22',
  '000568656c6c6f0a006372df766534200a',
  '00c3092d017878e020000178780a000d31e59dae771ef7',
  '00c30b40f00361626361e0e1020162630a008ee1d2e7ae65684b',
]

function payload(draw: Draw): string {
  const bytes = Buffer.from(draw.pick(PAYLOADS), 'hex')
  if (draw.chance(0.2)) bytes[draw.below(bytes.length)]! ^= 1 << draw.below(8)
  return bytes.toString('latin1')
}

/** Options of SORT. */
function sortOptions(draw: Draw): string[] {
  return [
    draw.maybe(0.3, () => [draw.word('LIMIT'), draw.index(), draw.index()]),
    draw.maybe(0.4, () => [draw.word('GET'), draw.pick(['#', 'w_*', '*->f', 'a'])]),
    draw.maybe(0.3, () => [draw.word('ASC', 'DESC')]),
    draw.maybe(0.3, () => [draw.word('ALPHA')]),
    draw.maybe(0.3, () => [draw.word('STORE'), draw.key()]),
  ].flat()
}

export const genericGenerators: readonly CommandGenerator[] = [
  { name: 'DEL', words: (draw) => ['DEL', ...keys(draw)] },
  { name: 'UNLINK', weight: 4, words: (draw) => ['UNLINK', ...keys(draw)] },
  { name: 'EXISTS', words: (draw) => ['EXISTS', ...keys(draw)] },
  { name: 'TOUCH', weight: 4, words: (draw) => ['TOUCH', ...keys(draw)] },
  { name: 'TYPE', words: (draw) => ['TYPE', draw.key()] },
  { name: 'RENAME', words: (draw) => ['RENAME', draw.key(), draw.key()] },
  { name: 'RENAMENX', words: (draw) => ['RENAMENX', draw.key(), draw.key()] },
  {
    name: 'COPY',
    words: (draw) => [
      'COPY',
      draw.key(),
      draw.key(),
      ...draw.maybe(0.3, () => [draw.word('DB'), database(draw)]),
      ...draw.maybe(0.5, () => [draw.word('REPLACE')]),
    ],
  },
  { name: 'MOVE', words: (draw) => ['MOVE', draw.key(), database(draw)] },
  { name: 'EXPIRE', timed: true, words: (draw) => ['EXPIRE', draw.key(), draw.seconds(), ...condition(draw)] },
  { name: 'PEXPIRE', timed: true, words: (draw) => ['PEXPIRE', draw.key(), draw.milliseconds(), ...condition(draw)] },
  { name: 'EXPIREAT', timed: true, words: (draw) => ['EXPIREAT', draw.key(), draw.unixSeconds(), ...condition(draw)] },
  {
    name: 'PEXPIREAT',
    timed: true,
    words: (draw) => ['PEXPIREAT', draw.key(), draw.unixMilliseconds(), ...condition(draw)],
  },
  { name: 'PERSIST', words: (draw) => ['PERSIST', draw.key()] },
  { name: 'TTL', words: (draw) => ['TTL', draw.key()], compare: integersWithin(SECONDS_APART) },
  { name: 'PTTL', words: (draw) => ['PTTL', draw.key()], compare: integersWithin(MS_APART) },
  { name: 'EXPIRETIME', words: (draw) => ['EXPIRETIME', draw.key()], compare: integersWithin(SECONDS_APART) },
  { name: 'PEXPIRETIME', words: (draw) => ['PEXPIRETIME', draw.key()], compare: integersWithin(MS_APART) },
  {
    name: 'OBJECT',
    isContainer: true,
    weight: 30,
    words: (draw) =>
      draw.chance(0.97)
        ? ['OBJECT', draw.word('ENCODING', 'ENCODING', 'ENCODING', 'FREQ'), draw.key()]
        : ['OBJECT', draw.word('HELP')],
  },
  {
    name: 'OBJECT',
    isContainer: true,
    weight: 6,
    words: (draw) => ['OBJECT', draw.word('REFCOUNT'), draw.key()],
    // Redis tells 2 while a queued request still holds the value, and 1 of a small integer that COPY has made.
    compare: sameType,
  },
  {
    name: 'OBJECT',
    isContainer: true,
    weight: 3,
    words: (draw) => ['OBJECT', draw.word('IDLETIME'), draw.key()],
    compare: (ours, theirs) => sameType(ours, theirs),
  },
  { name: 'DUMP', words: (draw) => ['DUMP', draw.key()], compare: sameDump },
  {
    name: 'RESTORE',
    weight: 8,
    timed: true,
    words: (draw) => {
      const isAbsolute = draw.chance(0.3)
      const time = isAbsolute ? draw.unixMilliseconds() : draw.milliseconds()
      return [
        'RESTORE',
        draw.key(),
        draw.chance(0.5) ? '0' : time,
        payload(draw),
        ...draw.maybe(0.6, () => [draw.word('REPLACE')]),
        ...(isAbsolute ? [draw.word('ABSTTL')] : []),
        ...draw.maybe(0.2, () => [draw.word('IDLETIME', 'FREQ'), draw.integer()]),
      ]
    },
  },
  { name: 'RANDOMKEY', weight: 3, words: () => ['RANDOMKEY'], compare: sameType },
  { name: 'KEYS', weight: 5, words: (draw) => ['KEYS', pattern(draw)], compare: sameElements },
  { name: 'SORT', weight: 5, words: (draw) => ['SORT', draw.key(), ...sortOptions(draw)] },
  { name: 'SORT_RO', weight: 3, words: (draw) => ['SORT_RO', draw.key(), ...sortOptions(draw)] },
  {
    name: 'SORT',
    weight: 4,
    // Not sorted, or by weights of which many are equal: of a set it is chance in what order they come then, and which.
    words: (draw) => [
      'SORT_RO',
      draw.key(),
      draw.word('BY'),
      draw.pick(['nosort', '#', 'h->f', '', 'w_*', '*']),
      ...sortOptions(draw),
    ],
    compare: sameCount,
  },
  { name: 'DBSIZE', weight: 5, words: () => ['DBSIZE'] },
  {
    name: 'SCAN',
    weight: 5,
    // What one call returns is the server's own business; whole iterations are compared by the run.
    words: (draw) => [
      'SCAN',
      draw.pick(['0', '0', 'x', '-1', '18446744073709551616', '']),
      ...draw.maybe(0.3, () => [draw.word('MATCH'), pattern(draw)]),
      ...draw.maybe(0.3, () => [draw.word('COUNT'), draw.pick(['1', '10', '1000', '0', '-1', 'x'])]),
      ...draw.maybe(0.3, () => [draw.word('TYPE'), draw.pick(['string', 'list', 'nonsense'])]),
    ],
    compare: sameType,
  },
  { name: 'SELECT', weight: 5, words: (draw) => ['SELECT', draw.chance(0.7) ? '0' : database(draw)] },
  { name: 'SWAPDB', weight: 2, words: (draw) => ['SWAPDB', database(draw), database(draw)] },
  {
    name: 'FLUSHDB',
    weight: 1,
    words: (draw) => ['FLUSHDB', ...draw.maybe(0.5, () => [draw.word('ASYNC', 'SYNC', 'NOW')])],
  },
  {
    name: 'FLUSHALL',
    weight: 1,
    words: (draw) => ['FLUSHALL', ...draw.maybe(0.5, () => [draw.word('ASYNC', 'SYNC')])],
  },
]
