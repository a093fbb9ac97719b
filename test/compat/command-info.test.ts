/**
 * COMMAND and its subcommands against real redis-server, byte for byte, for every command we have: the declarations
 * (arity, flags, categories, keys) and the detail tables (arguments, history, tips) must tell what Redis tells.
 * Sentences (summary, complexity, changes, remarks) are our own: there the test asks only that there is one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../src/engine/command.ts'
import { Engine } from '../../src/engine/engine.ts'
import { FAST, READONLY } from '../../src/engine/flags.ts'
import type { Session } from '../../src/engine/session.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'
import { TestClient } from '../support/engine.ts'
import { isNewer } from '../support/newer-commands.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { type ReplyNode, readReplyTree } from '../support/reply-tree.ts'
import { decodeReply, type RespClient, showReply } from '../support/resp-client.ts'

const commands = builtInCommands(null)
const all = commands.flatMap((command) => [command, ...command.subcommands])
const names = all.filter((command) => !isNewer(command)).map(({ fullName }) => fullName)
const newerNames = all.filter(isNewer).map(({ fullName }) => fullName)

const user = defineCommand({
  name: 'SHOP.PRICE',
  arity: -2,
  flags: READONLY | FAST,
  acl: ['hash'],
  keys: [{ ...firstKey(KEY_RO | KEY_ACCESS), notes: 'The article.' }],
  tips: ['nondeterministic_output'],
  doc: {
    group: 'shop',
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Returns a price.',
    arguments: 'article#0 [IN currency]',
    history: [['1.2.1', 'Takes a currency.']],
    deprecated: { since: '1.3.0', replacedBy: '`SHOP.QUOTE`' },
  },
  run(_ctx, _argv, reply) {
    reply.integer(1)
  },
})

function startEngine(protocol: number): { ask: (...words: string[]) => Buffer; engine: Engine; session: Session } {
  const engine = new Engine({
    clock: new ManualClock(),
    random: Random.fromSeed(1),
    databases: 16,
    commands,
  })
  const client = new TestClient(engine)
  const { session } = client
  session.protocol = protocol
  const ask = (...words: string[]) => Buffer.from(client.send(...words), 'latin1')
  return { ask, engine, session }
}

describe.skipIf(!hasRedisServer()).each([2, 3])('COMMAND in RESP%i', (protocol) => {
  const { ask } = startEngine(protocol)
  let redis: RedisProcess
  let client: RespClient

  beforeAll(async () => {
    redis = await startServer({ server: 'redis' })
    client = await redis.connect()
    await client.call('HELLO', protocol)
  })
  afterAll(async () => {
    await client?.close()
    await redis?.stop()
  })

  test.each(names)('INFO and DOCS of %s', async (name) => {
    const ourInfo = withoutSubcommands(blankNotes(readReplyTree(ask('COMMAND', 'INFO', name))))
    const theirInfo = withoutSubcommands(blankNotes(readReplyTree(await client.call('COMMAND', 'INFO', name))))
    expect(ourInfo).toEqual(theirInfo)
    const ourDocs = blankDocs(readReplyTree(ask('COMMAND', 'DOCS', name)))
    const theirDocs = blankDocs(readReplyTree(await client.call('COMMAND', 'DOCS', name)))
    expect(ourDocs).toEqual(theirDocs)
  })

  test.each(newerNames)('%s is newer', async (name) => {
    expect(readReplyTree(await client.call('COMMAND', 'INFO', name))).toEqual(
      readReplyTree(ask('COMMAND', 'INFO', 'nope')),
    )
    expect(showReply(ask('COMMAND', 'DOCS', name))).toContain('arguments')
  })

  test.each(
    `
    HELP | HELP x | NOPE | COUNT x | GETKEYS | GETKEYS get | GETKEYSANDFLAGS x | INFO nope | INFO nope get|x get|x|y get| |
    INFO client|nope CLIENT|NOPE |get | DOCS nope | DOCS nope nope|x | LIST FILTERBY | LIST FILTERBY pattern | LIST x
    LIST FILTERBY x y | LIST FILTERBY PATTERN a b | LIST FILTERBY MODULE m FILTERBY MODULE m | LIST FILTERBY module m
    LIST FILTERBY ACLCAT nope | LIST filterby PATTERN nope* | LIST FILTERBY PATTERN SE[t] | LIST FILTERBY pattern MSETN*
    LIST FILTERBY PATTERN command|c* | GETKEYS nope a | GETKEYS nope|x a | GETKEYS ping x | GETKEYS command x
    GETKEYS command nope | GETKEYS command count | GETKEYS get a b | GETKEYS mset a | GETKEYS set k
    `
      .split(/ \| |\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  )('%s', async (line) => {
    const words = line.split(' ')
    expect(showReply(ask('COMMAND', ...words))).toBe(showReply(await client.call('COMMAND', ...words)))
  })

  // Those of commands that are not there yet join when they come.
  const requests = `
    get k | mget a b c | mset a 1 b 2 | msetnx a 1 b | append k v | getex k | set k v | set k v GET | set k v get EX 5
    set k v EX get | set k g | bitop AND dest a b | bitcount k | bitfield k | bitfield k GET u8 0 | bitfield k GET u8
    bitfield k GET u8 0 SET u8 0 1 | bitfield k OVERFLOW WRAP GET u8 0 | bitfield k INCRBY u8 0 1 | bitfield_ro k GET u8 0
    sort k | sort k STORE dest | sort k LIMIT 0 5 STORE a STORE b | sort k BY STORE GET x | sort k GET store STORE
    sort_ro k BY x | migrate h 1 k 0 5 | migrate h 1 "" 0 5 KEYS a b | migrate h 1 k 0 5 KEYS a
    migrate h 1  0 5 COPY AUTH KEYS KEYS a b | copy a b DB 1 | rename a b | del a b | exists a | object encoding k | object freq k
    object help | object nope k | memory usage k | memory doctor x | watch a b | publish c m | spublish c m | ssubscribe c
    subscribe c | dump k | restore k 0 v REPLACE | config get a | client list x | debug object k | lcs a b | touch a b
    eval x 0 | eval x 1 a | evalsha x 2 a b | fcall f 1 a | georadius k 0 0 1 m STORE d STOREDIST e | lmpop 2 a b LEFT
    georadiusbymember k m 1 m STORE d | zunionstore d 2 a b | zunion 2 a b | xread COUNT 1 STREAMS a 0 | pfcount a
    lmpop 1x a b LEFT | lmpop +2 a b LEFT | lmpop 02 a b LEFT | lmpop x a LEFT | zmpop 1x a b MIN | bzmpop 0 1x a b MIN
    zinterstore d 1x a b | sintercard 1x a b | zunion -9223372036854775807 a | zunion 9223372036854775808 a
    zunion -9223372036854775809 a | zunion -4294967295 a | zunion 18446744073709551617 a
  `
    .split(/ \| |\n/)
    .map((line) => line.trim().split(' '))
    .filter((words) => names.includes(words[0]!.toLowerCase()))

  test('there are requests to look for keys in', () => {
    expect(requests.length).toBeGreaterThanOrEqual(9)
  })

  test.each(requests.map((words) => [words.join(' '), words] as const))('GETKEYS %s', async (_line, words) => {
    for (const subcommand of ['GETKEYS', 'GETKEYSANDFLAGS']) {
      const theirs = await client.call('COMMAND', subcommand, ...words)
      expect(showReply(ask('COMMAND', subcommand, ...words))).toBe(showReply(theirs))
    }
  })

  test('LIST names what passes a filter', async () => {
    for (const filter of [
      [],
      ...['read', 'FAST', 'string', 'connection'].map((name) => ['FILTERBY', 'ACLCAT', name]),
    ]) {
      const ours = decodeReply(ask('COMMAND', 'LIST', ...filter)) as string[]
      const theirs = (await client.query('COMMAND', 'LIST', ...filter)) as string[]
      expect(ours.length).toBeGreaterThan(0)
      expect(ours.filter((name) => names.includes(name)).sort()).toEqual(
        theirs.filter((name) => names.includes(name)).sort(),
      )
    }
  })
})

describe.each([2, 3])('whole lists in RESP%i', (protocol) => {
  test('name every command once', () => {
    const { ask } = startEngine(protocol)
    const topLevel = commands.map((command) => command.fullName)
    expect(decodeReply(ask('COMMAND', 'COUNT'))).toBe(topLevel.length)
    for (const words of [['COMMAND'], ['COMMAND', 'INFO']]) {
      expect((decodeReply(ask(...words)) as string[][]).map((info) => info[0])).toEqual(topLevel)
    }
    const docs = readReplyTree(ask('COMMAND', 'DOCS'))
    expect(fieldsOf(docs).map(([name]) => name)).toEqual(topLevel)
    const subcommands = fieldsOf(docs).flatMap(([, fields]) => field(fields, 'subcommands'))
    const listed = subcommands.flatMap((tree) => fieldsOf(tree).map(([name]) => name))
    expect([...topLevel, ...listed].sort()).toEqual([...names, ...newerNames].sort())
  })

  test("a user's command has all that built-in ones have", () => {
    const { ask, engine } = startEngine(protocol)
    engine.commands.add(user, 'shop')
    const map = (pairs: unknown[][]) => (protocol === 3 ? pairs : pairs.flat())
    const spec = map([
      ['notes', 'The article.'],
      ['flags', ['RO', 'access']],
      [
        'begin_search',
        map([
          ['type', 'index'],
          ['spec', map([['index', 1]])],
        ]),
      ],
      [
        'find_keys',
        map([
          ['type', 'range'],
          [
            'spec',
            map([
              ['lastkey', 0],
              ['keystep', 1],
              ['limit', 0],
            ]),
          ],
        ]),
      ],
    ])
    const flags = ['readonly', 'module', 'fast']
    expect(decodeReply(ask('COMMAND', 'INFO', 'Shop.Price'))).toEqual([
      ['shop.price', -2, flags, 1, 1, 1, ['@read', '@hash', '@fast'], ['nondeterministic_output'], [spec], []],
    ])
    expect(decodeReply(ask('COMMAND', 'DOCS', 'shop.price'))).toEqual(
      map([
        [
          'shop.price',
          map([
            ['summary', 'Returns a price.'],
            ['since', '1.2.0'],
            ['group', 'module'],
            ['complexity', 'O(1)'],
            ['module', 'shop'],
            ['doc_flags', ['deprecated']],
            ['deprecated_since', '1.3.0'],
            ['replaced_by', '`SHOP.QUOTE`'],
            ['history', [['1.2.1', 'Takes a currency.']]],
            [
              'arguments',
              [
                map([
                  ['name', 'article'],
                  ['type', 'key'],
                  ['key_spec_index', 0],
                ]),
                map([
                  ['name', 'currency'],
                  ['type', 'string'],
                  ['token', 'IN'],
                  ['flags', ['optional']],
                ]),
              ],
            ],
          ]),
        ],
      ]),
    )
    expect(decodeReply(ask('COMMAND', 'GETKEYS', 'shop.price', 'a', 'b'))).toEqual(['a'])
    expect(decodeReply(ask('COMMAND', 'LIST', 'FILTERBY', 'MODULE', 'shop'))).toEqual(['shop.price'])
    expect(decodeReply(ask('COMMAND', 'LIST', 'FILTERBY', 'MODULE', 'SHOP'))).toEqual([])
    expect(decodeReply(ask('COMMAND', 'COUNT'))).toBe(commands.length + 1)
  })
})

/** The pairs of a map, which in RESP2 is a flat array. */
function fieldsOf(tree: ReplyNode): [name: string, value: ReplyNode][] {
  const items = typeof tree === 'string' ? [] : tree.items
  return items.flatMap((item, index) => (index % 2 === 0 ? [[text(item), items[index + 1]!]] : []))
}

function text(node: ReplyNode): string {
  return typeof node === 'string' ? node.slice(1) : ''
}

function field(tree: ReplyNode, name: string): ReplyNode[] {
  return fieldsOf(tree).flatMap(([known, value]) => (known === name ? [value] : []))
}

function mapFields(tree: ReplyNode, change: (name: string, value: ReplyNode) => ReplyNode): ReplyNode {
  if (typeof tree === 'string') return tree
  return { type: tree.type, items: fieldsOf(tree).flatMap(([name, value]) => [`$${name}`, change(name, value)]) }
}

function sentence(node: ReplyNode): ReplyNode {
  return typeof node === 'string' && node.length > 1 ? '$(a sentence)' : node
}

/** The reply of COMMAND INFO for one command, without the texts of its key specs' remarks. */
function blankNotes(tree: ReplyNode): ReplyNode {
  if (typeof tree === 'string') return tree
  const items = tree.items.map((info): ReplyNode => {
    if (typeof info === 'string') return info
    const specs = info.items[8]!
    if (typeof specs === 'string') return info
    const blanked = specs.items.map((spec) =>
      mapFields(spec, (name, value) => (name === 'notes' ? sentence(value) : value)),
    )
    return { type: info.type, items: info.items.with(8, { type: specs.type, items: blanked }) }
  })
  return { type: tree.type, items }
}

/** Subcommands are compared one by one, since Redis lists them in an order of chance and may have more of them. */
function withoutSubcommands(tree: ReplyNode): ReplyNode {
  if (typeof tree === 'string') return tree
  const items = tree.items.map((info): ReplyNode => {
    const children = typeof info === 'string' ? info : info.items[9]!
    if (typeof info === 'string' || typeof children === 'string') return info
    return { type: info.type, items: info.items.with(9, `${children.type}${children.items.length === 0 ? 0 : 'some'}`) }
  })
  return { type: tree.type, items }
}

/** The reply of COMMAND DOCS, without sentences and subcommands. */
function blankDocs(tree: ReplyNode): ReplyNode {
  return mapFields(tree, (_name, fields) =>
    mapFields(fields, (name, value) => {
      if (name === 'summary' || name === 'complexity') return sentence(value)
      if (typeof value === 'string') return value
      if (name === 'subcommands') return `${value.type} subcommands`
      if (name !== 'history') return value
      const items = value.items.map((pair) =>
        typeof pair === 'string' ? pair : { type: pair.type, items: pair.items.with(1, sentence(pair.items[1]!)) },
      )
      return { type: value.type, items }
    }),
  )
}
