/**
 * Makes the golden vectors beside this file: asks a small C program, linked with Redis's own sources, what it answers to
 * thousands of random and hand-picked inputs. Needs gcc on x86-64 (for its long double) and the source of Redis 7.0.15:
 *
 *   node test/unit/base/vectors/generate.mjs REDIS_SOURCE [OUTPUT_FOLDER [SEED [FACTOR]]]
 *
 * The tests read the folder named by O7_BASE_VECTORS, so that a larger set than the one kept here can be tried.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const HERE = import.meta.dirname
const [source, folder = HERE, seedText = '1', factorText = '1'] = process.argv.slice(2)
if (source === undefined) throw new Error('usage: generate.mjs REDIS_SOURCE [OUTPUT_FOLDER [SEED [FACTOR]]]')
const factor = Number(factorText)

const oracle = join(mkdtempSync(join(tmpdir(), 'o7-oracle-')), 'oracle')
const src = resolve(source, 'src')
const hdr = resolve(source, 'deps/hdr_histogram')
execFileSync(
  'gcc',
  [
    // The hash table of LZF starts clean: what Redis does when its stack does, and the only repeatable answer.
    ...['-O1', '-w', '-std=gnu11', '-ffunction-sections', '-Wl,--gc-sections', '-DINIT_HTAB=1'],
    ...[`-I${src}`, `-I${hdr}`, '-DHDR_MALLOC_INCLUDE="hdr_redis_malloc.h"', '-o', oracle, join(HERE, 'oracle.c')],
    ...['util', 'sha256', 'sds', 'zmalloc', 'crc64', 'crcspeed', 'lzf_c', 'lzf_d'].map((name) => `${src}/${name}.c`),
    ...[`${hdr}/hdr_histogram.c`, '-lm', '-lpthread'],
  ],
  { stdio: 'inherit' },
)

/** mulberry32. */
let state = Number(seedText) >>> 0
function random() {
  state = (state + 0x6d2b79f5) >>> 0
  let t = state
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const below = (bound) => Math.floor(random() * bound)
const pick = (list) => list[below(list.length)]
const times = (count, make) => Array.from({ length: Math.round(count * factor) }, make)
const digits = (count) => Array.from({ length: count }, () => below(10)).join('')
const hexDigits = (count) => Array.from({ length: count }, () => pick([...'0123456789abcdefABCDEF'])).join('')
const text = (units, most) => Array.from({ length: below(most + 1) }, () => pick(units)).join('')
const hex = (value) => (value.length === 0 ? '.' : Buffer.from(value, 'latin1').toString('hex'))

/** Long answers are kept as their length and SHA-1. */
function shortened(answer) {
  return answer.length <= 120 ? answer : `#${answer.length}:${createHash('sha1').update(answer).digest('hex')}`
}

function write(name, questions, { parts = false } = {}) {
  const unique = [...new Set(questions)]
  const answers = execFileSync(oracle, { input: unique.join('\n') + '\n', maxBuffer: 2 ** 30 })
    .toString('latin1')
    .split('\n')
  const lines = unique.map((question, i) => {
    const answer = parts ? answers[i].split(' ').map(shortened).join(' ') : shortened(answers[i])
    return `${question.split(' ').slice(1).join(' ')} ${answer}\n`
  })
  writeFileSync(join(folder, name), lines.join(''), 'latin1')
}

// Numbers as text.
const plainNumber = () =>
  pick(['', '', '-', '+']) + digits(1 + below(pick([3, 6, 16, 25]))) + pick(['', `.${digits(below(25))}`])
const scaledNumber = () =>
  `${plainNumber()}${pick(['e', 'E'])}${pick(['', '-', '+'])}${below(pick([10, 40, 330, 5000]))}`
const hexNumber = () =>
  `${pick(['', '-', '+'])}0${pick(['x', 'X'])}${hexDigits(below(20))}${pick(['', `.${hexDigits(below(20))}`])}` +
  pick(['', `p${pick(['', '-', '+'])}${below(pick([10, 100, 1100, 17000]))}`])
const notQuiteNumber = () => text([...'0123456789.+-eExXpPinfatyINFATY ()_\t'], 9)
const spoiled = (number) =>
  pick([` ${number}`, `${number} `, `${number}x`, `${number}\0`, `${number}.`, `${number}e`, `-${number}`])
const specials = [
  ...[
    '',
    '0',
    '-0',
    '+0',
    '.',
    '-',
    '+',
    '.5',
    '5.',
    '-.5',
    '0x',
    '0x.',
    '0x.8',
    '0x1p',
    '0x1p+',
    '0xp1',
    '1e',
    '1e+',
    '1e5.',
  ],
  ...[
    'inf',
    '-inf',
    '+inf',
    'INF',
    'Infinity',
    '-infinity',
    'infinit',
    'infinityx',
    'nan',
    'NAN',
    '-nan',
    'nan(',
    'nan(1)',
  ],
  ...[
    'nan(a_b)',
    'nan()',
    'nan( )',
    '1e400',
    '-1e400',
    '1e-400',
    '0e-99999',
    '0e99999',
    '1e4931',
    '1e4932',
    '1.18973149535723176502e4932',
  ],
  ...[
    '1.18973149535723176503e4932',
    '1.18973149535723176509e4932',
    '-1.2e4932',
    '1e-4950',
    '1e-4951',
    '1.8e-4951',
    '1e-4966',
  ],
  ...[
    '3.6e-4951',
    '1.8225997659412373e-4951',
    '2.4703282292062327e-324',
    '2.4703282292062328e-324',
    '4.9e-324',
    '5e-324',
  ],
  ...['2.2250738585072014e-308', '2.2250738585072011e-308', '2.2250738585072012e-308', '2.225073858507201383e-308'],
  ...[
    '2.22507385850720125958e-308',
    '2.22507385850720118e-308',
    '1.7976931348623157e308',
    '1.7976931348623158e308',
    '1.7976931348623159e308',
  ],
  ...[
    '0x1.fffffffffffff8p1023',
    '0x1.fffffffffffff7p1023',
    '0x1p-1074',
    '0x1p-1075',
    '0x1.8p-1075',
    '0x1.fffffffffffffp-1023',
  ],
  ...[
    '0x1.fffffffffffff8p-1023',
    '0x1.fffffffffffffcp-1023',
    '0x1p1024',
    '0x1p16383',
    '0x1p16384',
    '0x1p-16445',
    '0x1p-16446',
    '0x1.8p-16446',
  ],
  ...[
    '0x0p99999999999999999999',
    '0x1p99999999999999999999',
    '0x1p-99999999999999999999',
    '1e99999999999999999999',
    '1e-99999999999999999999',
  ],
  ...[
    '9007199254740993',
    '9007199254740992.5',
    '9007199254740992.50000000000000000000000001',
    '18446744073709551617',
    '36893488147419103233',
  ],
  ...[
    '0.1',
    '0.2',
    '10.50',
    '5.0e3',
    '3.0e3',
    '1.1',
    '2.2',
    '3.3',
    '1000.1',
    '17179869184',
    '0.30000000000000004',
    ' 1',
    '1 ',
    '\t1',
  ],
  ...[
    '1\0',
    '1\x0002',
    `1${'0'.repeat(400)}`,
    `0.${'0'.repeat(400)}1`,
    `1.${'0'.repeat(1200)}1`,
    `${'1'.repeat(5119)}`,
    `${'1'.repeat(5120)}`,
  ],
  ...[
    `1.${'0'.repeat(5110)}1`,
    `0.${'0'.repeat(5000)}1`,
    `9007199254740992.5${'0'.repeat(2000)}1`,
    `9007199254740992.5${'0'.repeat(2000)}`,
  ],
]
const numbers = (count) => [
  ...specials,
  ...times(count, plainNumber),
  ...times(count, scaledNumber),
  ...times(count, hexNumber),
  ...times(count, notQuiteNumber),
  ...times(count / 3, () => spoiled(plainNumber())),
]
write(
  'double-parse.txt',
  numbers(400).map((number) => `parse ${hex(number)}`),
)

const nearDecimals = () => {
  const value = below(10 ** (1 + below(9))) / 10 ** below(9)
  return random() < 0.3 ? -value : value
}
const dyadic = () => ((random() < 0.3 ? -1 : 1) * (1 + below(2 ** (1 + below(31))))) / 2 ** below(40)
const anyBits = () => Buffer.from(times(8 / factor, () => below(256))).readDoubleBE()
const doubles = [
  ...[
    0,
    -0,
    1,
    -1,
    0.5,
    1.5,
    2.5,
    0.125,
    0.375,
    0.005,
    1e15,
    1e16,
    1e17,
    1e18,
    1e20,
    1e21,
    1e22,
    1e23,
    2 ** 53,
    2 ** 62,
    2 ** 63,
  ],
  ...[
    -(2 ** 62),
    2 ** 62 + 1024,
    2 ** 64,
    5e-324,
    1.7976931348623157e308,
    1e-4,
    1e-5,
    9.9999e-5,
    0.1,
    1 / 3,
    2 / 3,
    123456789.125,
  ],
  ...[1e17 - 16, 1e17 - 32, 123456789012345 * 1000, 1e-7, 1e100, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...[-0.001, -0.004, 0.995, 1.005, 999999.995, 0.00005, -0.00005, 1.0000076293945312, 2 ** 51 + 0.5, 2 ** 51 + 1.5],
  ...times(300, nearDecimals),
  ...times(400, dyadic),
  ...times(150, () => anyBits()),
  ...times(200, () => random() * 10 ** below(20)),
  ...times(150, () => Math.floor(random() * 10 ** below(20))),
].filter((value) => !Number.isNaN(value))
const bitsOf = (value) => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}
write(
  'double-print.txt',
  doubles.map((value) => `print ${bitsOf(value)}`),
  { parts: true },
)

const everyday = () => {
  const decimals = below(8)
  const value = (below(10 ** (2 + below(8))) / 10 ** decimals).toFixed(decimals)
  return random() < 0.4 ? `-${value}` : value
}
const operand = () => pick([everyday, everyday, plainNumber, scaledNumber, hexNumber, () => pick(specials)])()
write(
  'long-double.txt',
  [
    ...specials.map((number) => `add ${hex(number)} ${hex('0')}`),
    ...times(200, () => [scaledNumber(), '-1']).map(([a, b]) => `add ${hex(a)} ${hex(b)}`),
    ...times(800, () => `add ${hex(everyday())} ${hex(everyday())}`),
    ...times(1300, () => `add ${hex(operand())} ${hex(operand())}`),
  ],
  { parts: true },
)

// Patterns.
const ascii = [...'abcABC*?[]^\\-']
const wild = [...ascii, ...'zZ@`', '\x01', '\x7f', '\x80', '\xc1', '\xe1', '\xff']
/** A pattern that was made to match, mostly. */
function patternFor(value) {
  let pattern = ''
  for (const char of value) {
    const other = random() < 0.1 ? pick(wild) : char
    const from = String.fromCharCode(Math.max(1, other.charCodeAt(0) - below(4)))
    const to = String.fromCharCode(Math.min(255, other.charCodeAt(0) + below(4)))
    const range = random() < 0.5 ? `${from}-${to}` : `${to}-${from}`
    pattern += pick([
      ...[
        other,
        other,
        '?',
        '*',
        `*${other}`,
        `\\${other}`,
        `[${other}${pick(wild)}]`,
        `[${range}]`,
        `[^${pick(wild)}]`,
      ],
      ...[other.toUpperCase().slice(0, 1), `[x\\${other}]`, `[${range}${pick(wild)}`],
    ])
  }
  return pattern + pick(['', '', '*', '**'])
}
const globs = [
  ...times(1500, () => text([...'abcABC', '\xe1', '\x80'], 6)).map((value) => [patternFor(value), value]),
  ...times(900, () => [text(ascii, 8), text([...'abcABC'], 6)]),
  ...times(900, () => [text(wild, 9), text(wild, 5)]),
  ...times(500, () => [`[${text(wild, 6)}${pick(['', ']'])}`, pick(wild)]),
  ...times(300, () => ['*'.repeat(below(4)) + text([...'ab*'], 8), text([...'ab'], 12)]),
  ...[995, 1000, 1001, 1002].map((stars) => ['*a'.repeat(stars), 'a'.repeat(stars)]),
  ...[999, 1000, 1001, 1002].map((stars) => [`${'*a'.repeat(stars)}*`, 'a'.repeat(stars + 1)]),
]
write(
  'glob.txt',
  globs.map(([pattern, value]) => `glob ${hex(pattern)} ${hex(value)}`),
)

// Quoting.
const line = () =>
  text(
    ['a', 'b', ' ', ' ', '"', '"', "'", "'", '\\', '\\', 'n', 'x', '4', 'F', '\n', '\r', '\t', '\v', '\0', '\xe9'],
    14,
  )
write('split.txt', [
  ...[
    '.',
    hex('"a'),
    hex("'a"),
    hex('"a"b'),
    hex('"a" b'),
    hex("set \"a\\x00\\x4a\\xg1\\n\\r\\t\\a\\b\\q\" 'x\\'y\\n'"),
    hex('a\x00b'),
  ].map((question) => `split ${question}`),
  ...times(2000, () => `split ${hex(line())}`),
])
write('repr.txt', [
  ...Array.from({ length: 256 }, (_, byte) => `repr ${hex(String.fromCharCode(byte))}`),
  ...times(200, () => `repr ${hex(text(wild, 20))}`),
])

// Checksums and compression.
const blob = () => {
  const kind = below(4)
  const length = below(pick([30, 100, 600, 3000]))
  let value = ''
  while (value.length < length) {
    if (kind === 0) value += String.fromCharCode(below(256))
    else if (kind === 1) value += pick([...'ab'])
    else if (value.length > 4 && random() < 0.5) {
      const from = below(value.length)
      value += value.slice(from, from + 1 + below(kind === 2 ? 12 : 400))
    } else value += pick(['hello ', 'world', '{"id":', '0', 'abc'])
  }
  return value.slice(0, length)
}
write('crc64.txt', [`crc ${hex('123456789')}`, 'crc .', ...times(60, () => `crc ${hex(blob().slice(0, 400))}`)])
write('lzf.txt', [
  ...[3, 4, 5, 6, 20, 33, 34, 65, 100, 264, 265, 266, 300, 529, 5000].map((count) => `lzf ${hex('a'.repeat(count))}`),
  ...times(300, () => `lzf ${hex(blob().slice(0, 700))}`),
])
const compressed = () => text(['\x00', '\x01', '\x20', '\x21', '\x40', '\xe0', '\x1f', 'a', '\x02', '\x05', '\xc0'], 12)
write(
  'unlzf.txt',
  times(1500, () => `unlzf ${hex(`\x04abcde${compressed()}`)} ${hex(String.fromCharCode(0, below(60)))}`),
)

// Histograms: four bytes a value, most significant first.
const value32 = (value) => String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
write(
  'hdr.txt',
  [
    [],
    [0],
    [1],
    [1e9],
    [1023],
    [1024],
    [1025],
    [2047],
    [2048],
    [1000, 1e9],
    [0, 0, 5],
    [1073741823],
    [1073741824],
    [2147483647],
  ]
    .concat(times(150, () => times(below(40) / factor, () => below(2 ** (1 + below(30))))))
    .concat([Array.from({ length: 4000 }, () => 500 + below(3_000_000))])
    .map((values) => `hdr ${hex(values.map(value32).join(''))}`),
  { parts: true },
)
