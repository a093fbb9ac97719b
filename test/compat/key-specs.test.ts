/**
 * Key extraction against real redis-server: commands are declared with the key specs that it reports, then ours must find
 * the same range for old clients, and the same keys with the same flags in requests of all shapes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Argv } from '../../src/base/argv.ts'
import { type Command, defineCommand, type GetKeys } from '../../src/engine/command.ts'
import { MOVABLE_KEYS } from '../../src/engine/flags.ts'
import { extractKeys, mayHaveKeys } from '../../src/engine/key-extraction.ts'
import {
  countedKeys,
  keysOfBitfield,
  keysOfMigrate,
  keysOfSet,
  keysOfSort,
  keysOfSortRo,
} from '../../src/engine/key-functions.ts'
import { KEY_FLAG_NAMES, type KeySpec } from '../../src/engine/key-specs.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { type RespClient, RespError, type RespValue } from '../support/resp-client.ts'

/** Where specs alone do not tell. */
const GET_KEYS: Readonly<Record<string, GetKeys>> = {
  set: keysOfSet,
  bitfield: keysOfBitfield,
  sort: keysOfSort,
  sort_ro: keysOfSortRo,
  migrate: keysOfMigrate,
  eval: countedKeys(0, 2, 3),
  zunion: countedKeys(0, 1, 2),
  zunionstore: countedKeys(1, 2, 3),
  sintercard: countedKeys(0, 1, 2),
  blmpop: countedKeys(0, 2, 3),
}

const REQUESTS = `
  set k v | set k v GET | set k v get EX 5 | set k v EX get | set k g | bitfield k | bitfield k GET u8 0 | bitfield k GET u8
  bitfield k GET u8 0 SET u8 0 1 | bitfield k OVERFLOW WRAP GET u8 0 | bitfield k INCRBY u8 0 1 | bitfield k OVERFLOW
  bitfield k get u8 0 overflow sat get u8 0 | bitfield k OVERFLOW FAIL SET u8 0 1 | bitfield k SET u8 | bitfield k x
  sort k | sort k STORE d | sort k LIMIT 0 5 STORE a STORE b | sort k BY STORE GET x | sort k GET store STORE | sort k store
  sort k STORE STORE d | sort k LIMIT STORE d STORE e | sort k ALPHA DESC STORE d | sort k get a get b by c store d
  sort_ro k | sort_ro k BY x GET STORE STORE d | migrate h 1 k 0 5 | migrate h 1 "" 0 5 KEYS a b | migrate h 1 k 0 5 KEYS a
  migrate h 1 "" 0 5 COPY REPLACE keys a b | migrate h 1 "" 0 5 AUTH KEYS KEYS a b | migrate h 1 "" 0 5 | migrate h 1 "" 0 5 KEYS
  migrate h 1 "" 0 5 AUTH2 KEYS KEYS KEYS a | migrate h 1 "" 0 5 nonsense KEYS a | migrate h 1 k 0 5 COPY AUTH keys
  get k | getrange k 0 1 | append k v | del a | del a b c | mget a b | mset a 1 b 2 | mset a 1 b | msetnx a 1
  rename a b | copy a b | copy a b DB 1 REPLACE | lcs a b LEN | object encoding k | memory usage k SAMPLES 5
  bitop AND dest a b | bitop NOT dest a | pfcount a b | pfmerge dest | pfmerge dest a b | smove a b m | lmove a b LEFT RIGHT
  blpop a b 0 | blpop a 0 | bzpopmin a b c 1.5 | rpoplpush a b | sinterstore dest a b | geosearchstore dest src FROMMEMBER m BYRADIUS 1 m
  xread STREAMS a 0 | xread COUNT 2 STREAMS a b 0 0 | xread BLOCK 5 streams a b c 1 2 3 | xread COUNT 1 x y
  xread STREAMS a b 0 | xreadgroup GROUP g c STREAMS a > | xreadgroup GROUP STREAMS STREAMS STREAMS a >
  zunion 2 a b | zunion 0 a | zunion 3 a b | zunion -1 a | zunion x a | zunion 1x a b | zunion 2 a b WEIGHTS 1 2
  zunion 4294967297 a | zunion 1.5 a | zunion +1 a | zunion 01 a
  zunionstore dest 2 a b | zunionstore dest 0 a | zunionstore dest 9 a b | zunionstore dest 1z a b
  sintercard 2 a b LIMIT 1 | sintercard 0 a | blmpop 0 2 a b LEFT | blmpop 0 2 a b RIGHT COUNT 2 | blmpop 0 x a LEFT
  eval script 0 | eval script 2 a b c | eval script 3 a b | eval script -1 a | eval script x
  xadd k * f v | xgroup create k g 0 | xinfo stream k FULL | ssubscribe a b | spublish ch m | publish ch m | ping x
  config get maxmemory | zrangestore dst src 0 1 | watch a b | exists a b | touch a | unlink a b | dump k
  restore k 0 payload | getex k EX 5 | expire k 5 NX | lmpop 1 a LEFT | zmpop 1 a MIN | fcall f 1 a
`
  .split(/[|\n]/)
  .map((request) => request.trim().split(/\s+/))
  .filter((words) => words[0] !== '')
  .map((words) => words.map((word) => (word === '""' ? '' : word)))

describe.skipIf(!hasRedisServer())('keys', () => {
  let redis: RedisProcess
  let client: RespClient
  const infos = new Map<string, RespValue[]>()

  beforeAll(async () => {
    redis = await startServer({ server: 'redis' })
    client = await redis.connect()
    await client.query('HELLO', 3)
    collect((await client.query('COMMAND')) as RespValue[][])
  })
  afterAll(async () => {
    await client?.close()
    await redis?.stop()
  })

  function collect(all: RespValue[][]): void {
    for (const info of all) {
      infos.set(info[0] as string, info)
      collect(info[9] as RespValue[][])
    }
  }

  function declare(fullName: string): Command {
    const info = infos.get(fullName)!
    const getKeys = GET_KEYS[fullName]
    return defineCommand({
      name: fullName.split('|').at(-1)!.toUpperCase(),
      arity: info[1] as number,
      flags: 0,
      keys: (info[8] as [string, RespValue][][]).map(readSpec),
      ...(getKeys === undefined ? {} : { getKeys }),
      doc: { group: 'generic', since: '1.0.0', summary: '' },
      run() {},
    })
  }

  test('the range for old clients', () => {
    expect(infos.size).toBeGreaterThan(350)
    const describeRange = (range: RespValue[], isMovable: boolean) => `${range} ${isMovable ? 'movable' : ''}`
    const differing = [...infos].flatMap(([name, info]) => {
      const { range, flags } = declare(name)
      const ours = describeRange([range.firstKey, range.lastKey, range.step], (flags & MOVABLE_KEYS) !== 0)
      const theirs = describeRange(info.slice(3, 6), (info[2] as string[]).includes('movablekeys'))
      return ours === theirs ? [] : [`${name}: ours ${ours}, theirs ${theirs}`]
    })
    expect(differing).toEqual([])
  })

  test.each(REQUESTS.map((words) => [words.join(' '), words] as const))('%s', async (_text, words) => {
    const theirs = await client.query('COMMAND', 'GETKEYSANDFLAGS', ...words)
    const hasChild = infos.has(`${words[0]}|${words[1]}`)
    const command = declare(hasChild ? `${words[0]}|${words[1]}` : words[0]!)
    const keys = extractKeys(command, Argv.of(words))
    if (theirs instanceof RespError) {
      expect(keys).toEqual([])
      const problem = mayHaveKeys(command)
        ? 'ERR Invalid arguments specified for command'
        : 'ERR The command has no key arguments'
      expect(theirs.message).toBe(problem)
    } else {
      const named = keys.map(([index, flags]) => [
        words[index],
        KEY_FLAG_NAMES.filter(([bit]) => flags & bit).map(([, name]) => name),
      ])
      expect(named).toEqual(theirs)
    }
  })
})

/** Flags and figures as COMMAND INFO gives them, in RESP3. */
function readSpec(pairs: [string, RespValue][]): KeySpec {
  const fields = new Map(pairs)
  const names = fields.get('flags') as string[]
  const flags = KEY_FLAG_NAMES.reduce((bits, [bit, name]) => (names.includes(name) ? bits | bit : bits), 0)
  const half = (name: string) => {
    const search = new Map(fields.get(name) as [string, RespValue][])
    const figures = new Map(search.get('spec') as [string, RespValue][])
    return { kind: search.get('type'), figure: (figure: string) => figures.get(figure) as number, figures }
  }
  const begin = half('begin_search')
  const find = half('find_keys')
  return {
    flags,
    begin:
      begin.kind === 'index'
        ? { kind: 'index', index: begin.figure('index') }
        : begin.kind === 'keyword'
          ? { kind: 'keyword', keyword: begin.figures.get('keyword') as string, startFrom: begin.figure('startfrom') }
          : { kind: 'unknown' },
    find:
      find.kind === 'range'
        ? { kind: 'range', lastKey: find.figure('lastkey'), step: find.figure('keystep'), limit: find.figure('limit') }
        : find.kind === 'keynum'
          ? {
              kind: 'keynum',
              keyNumIndex: find.figure('keynumidx'),
              firstKey: find.figure('firstkey'),
              step: find.figure('keystep'),
            }
          : { kind: 'unknown' },
  }
}
