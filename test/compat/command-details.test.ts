/**
 * The tables of argument grammars, history and tips against real redis-server, for every command that it has, whether
 * ours exists yet or not. Of sentences only the number is compared.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMAND_GROUPS, detailTable } from '../../src/engine/docs/detail-tables.ts'
import type { CommandDetails } from '../../src/engine/docs/details.ts'
import { type Argument, parseGrammar } from '../../src/engine/docs/grammar.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'
import { isNewer } from '../support/newer-commands.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { RespValue } from '../support/resp-client.ts'

type Fields = ReadonlyMap<string, RespValue>

describe.skipIf(!hasRedisServer())('the detail tables', () => {
  let redis: RedisProcess
  /** What real Redis says of each command and subcommand, by full name. */
  const theirDocs = new Map<string, Fields>()
  const theirInfo = new Map<string, RespValue[]>()

  beforeAll(async () => {
    redis = await startServer({ server: 'redis' })
    const client = await redis.connect()
    await client.query('HELLO', 3)
    collectDocs((await client.query('COMMAND', 'DOCS')) as RespValue[], theirDocs)
    collectInfo((await client.query('COMMAND')) as RespValue[], theirInfo)
    await client.close()
  })
  afterAll(() => redis?.stop())

  test('cover every command', () => {
    expect(theirDocs.size).toBeGreaterThan(350)
    const documented = COMMAND_GROUPS.flatMap((group) => Object.keys(detailTable(group)))
    expect(new Set(documented).size).toBe(documented.length)
    const newer = new Set(
      builtInCommands(null)
        .filter(isNewer)
        .map(({ fullName }) => fullName),
    )
    expect(documented.filter((name) => !theirDocs.has(name) && !newer.has(name))).toEqual([])
    const differing = [...theirDocs].flatMap(([name, fields]) => {
      const ours = detailTable(fields.get('group') as string)[name] ?? {}
      const theirs = theirFacts(fields, theirInfo.get(name)!)
      const [ourText, theirText] = [ourFacts(ours), theirs].map((facts) => JSON.stringify(facts))
      return ourText === theirText ? [] : [`${name}\n ours   ${ourText}\n theirs ${theirText}`]
    })
    expect(differing).toEqual([])
  })

  test('say every sentence in our own words, ended by a full stop', () => {
    const sentences = COMMAND_GROUPS.flatMap((group) =>
      Object.values(detailTable(group)).flatMap(({ history, keyNotes }) => [
        ...(history ?? []).map(([, change]) => change),
        ...(keyNotes ?? []).filter((note) => note !== null),
      ]),
    )
    expect(sentences.length).toBeGreaterThan(100)
    expect(sentences.filter((sentence) => !/^[A-Z`].*\.$/.test(sentence))).toEqual([])
    const theirs = new Set([...theirDocs.values()].flatMap((fields) => historyOf(fields).map(([, change]) => change)))
    expect(sentences.filter((sentence) => theirs.has(sentence))).toEqual([])
  })
})

function collectDocs(pairs: RespValue[], found: Map<string, Fields>): void {
  for (const pair of pairs) {
    const [name, fields] = pair as [string, [string, RespValue][]]
    const map = new Map(fields)
    found.set(name, map)
    collectDocs((map.get('subcommands') ?? []) as RespValue[], found)
  }
}

function collectInfo(infos: RespValue[], found: Map<string, RespValue[]>): void {
  for (const info of infos as RespValue[][]) {
    found.set(info[0] as string, info)
    collectInfo(info[9] as RespValue[], found)
  }
}

function historyOf(fields: Fields): [string, string][] {
  return (fields.get('history') ?? []) as [string, string][]
}

function theirFacts(fields: Fields, info: RespValue[]): object {
  const keySpecs = (info[8] as [string, RespValue][][]).map((spec) => new Map(spec))
  return {
    arguments: theirArguments((fields.get('arguments') ?? []) as RespValue[]),
    history: historyOf(fields).map(([version]) => version),
    tips: info[7],
    deprecatedSince: fields.get('deprecated_since') ?? null,
    replacedBy: fields.get('replaced_by') ?? null,
    docFlags: fields.get('doc_flags') ?? [],
    hasKeyNotes: keySpecs.some((spec) => spec.has('notes')) ? keySpecs.map((spec) => spec.has('notes')) : null,
  }
}

function theirArguments(all: RespValue[]): object[] {
  return (all as [string, RespValue][][]).map((pairs) => {
    const fields = new Map(pairs)
    const flags = (fields.get('flags') ?? []) as string[]
    const known = ['name', 'type', 'key_spec_index', 'token', 'since', 'deprecated_since', 'flags', 'arguments']
    expect([...fields.keys()].filter((field) => !known.includes(field))).toEqual([])
    return {
      name: fields.get('name'),
      type: fields.get('type'),
      keySpecIndex: fields.get('key_spec_index') ?? -1,
      token: fields.get('token') ?? null,
      since: fields.get('since') ?? null,
      deprecatedSince: fields.get('deprecated_since') ?? null,
      optional: flags.includes('optional'),
      multiple: flags.includes('multiple'),
      multipleToken: flags.includes('multiple_token'),
      arguments: theirArguments((fields.get('arguments') ?? []) as RespValue[]),
    }
  })
}

function ourFacts(details: CommandDetails): object {
  const { deprecated, isInternal, keyNotes } = details
  return {
    arguments: parseGrammar(details.arguments ?? '').map(plain),
    history: (details.history ?? []).map(([version]) => version),
    tips: details.tips ?? [],
    deprecatedSince: deprecated?.since ?? null,
    replacedBy: deprecated?.replacedBy ?? null,
    docFlags: [...(deprecated === undefined ? [] : ['deprecated']), ...(isInternal ? ['syscmd'] : [])],
    hasKeyNotes: keyNotes?.map((note) => note !== null) ?? null,
  }
}

/** In the order of fields that theirArguments has. */
function plain(argument: Argument): object {
  const { name, type, keySpecIndex, token, since, deprecatedSince, optional, multiple, multipleToken } = argument
  return {
    name,
    type,
    keySpecIndex,
    token,
    since,
    deprecatedSince,
    optional,
    multiple,
    multipleToken,
    arguments: argument.arguments.map(plain),
  }
}
