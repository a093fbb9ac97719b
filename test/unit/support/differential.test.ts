/** The differential run itself: that it finds a difference, cuts the history down, and says how to see it again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer, defineCommand, type EmbeddedServer } from '../../../src/index.ts'
import { DifferenceError, runDifferential, type Subject } from '../../support/differential.ts'
import type { CommandGenerator } from '../../support/generator.ts'
import { elementsOf, integersWithin, sameElements, sameType } from '../../support/generator-compare.ts'
import { ALL_GENERATORS } from '../../support/generators.ts'
import { RespClient } from '../../support/resp-client.ts'

/** Answers 1 once the key "a" holds something, where it should always answer 0. */
const faulty = (hasFault: boolean) =>
  defineCommand({
    name: 'FAULTY',
    arity: 1,
    flags: 0,
    doc: { group: 'generic', since: '1.0.0', summary: 'For this test.' },
    run(ctx, _argv, reply) {
      reply.integer(hasFault && ctx.db.peek(Buffer.from('a'), 0, 1) !== 0 ? 1 : 0)
    },
  })

class Embedded implements Subject {
  readonly name: string
  private readonly hasFault: boolean
  private server: EmbeddedServer | null = null

  constructor(name: string, hasFault: boolean) {
    this.name = name
    this.hasFault = hasFault
  }

  connect(): Promise<RespClient> {
    return RespClient.connect({ port: this.server!.port })
  }

  async reset(): Promise<void> {
    await this.stop()
    this.server = await createServer({ port: 0, commands: [faulty(this.hasFault)] })
  }

  async stop(): Promise<void> {
    await this.server?.close()
    this.server = null
  }
}

const GENERATORS: readonly CommandGenerator[] = [
  ...ALL_GENERATORS.filter(({ name }) => ['SET', 'GET', 'MULTI', 'EXEC', 'GETDEL'].includes(name)),
  { name: 'FAULTY', weight: 1, words: () => ['FAULTY'] },
]

describe('a differential run', () => {
  const ours = new Embedded('ours', true)
  const theirs = new Embedded('theirs', false)
  const options = {
    ours,
    theirs,
    generators: GENERATORS,
    commands: new Set(['select', 'get']),
    protocol: 2,
    seed: 7,
    count: 2000,
  } as const

  beforeAll(() => ours.reset())
  afterAll(() => Promise.all([ours.stop(), theirs.stop()]))

  test('finds a difference and cuts the history down to the two commands that matter', async () => {
    const error = await runDifferential(options).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DifferenceError)
    const { message } = error as DifferenceError
    expect(message).toContain('RESP2, seed 7, command ')
    expect(message).toContain('npm run differential -- --protocol 2 --seed 7 --count 2000')
    const history = message.split('\n').filter((line) => /^ {2}\d> /.test(line))
    expect(history).toHaveLength(2)
    expect(history[0]).toMatch(/> \w*set\w* a /i)
    expect(history[1]).toMatch(/> faulty/i)
  })

  test('finds nothing between equal servers', async () => {
    const other = new Embedded('other', false)
    const result = await runDifferential({ ...options, ours: theirs, theirs: other, count: 500 })
    await other.stop()
    expect(result.commands).toBe(500)
    expect(result.counts.get('SET')).toBeGreaterThan(10)
  })
})

describe('comparisons', () => {
  const reply = (text: string) => Buffer.from(text, 'latin1')

  test('integers within a tolerance', () => {
    const within2 = integersWithin(2)
    expect(within2(reply(':100\r\n'), reply(':102\r\n'))).toBeNull()
    expect(within2(reply(':100\r\n'), reply(':103\r\n'))).not.toBeNull()
    expect(within2(reply(':-1\r\n'), reply(':1\r\n'))).not.toBeNull()
    expect(within2(reply(':0\r\n'), reply(':1\r\n'))).not.toBeNull()
    expect(within2(reply('-ERR a\r\n'), reply('-ERR b\r\n'))).not.toBeNull()
    expect(within2(reply('-ERR a\r\n'), reply('-ERR a\r\n'))).toBeNull()
  })

  test('elements in any order, however they nest', () => {
    const nested = reply('*2\r\n%1\r\n+a\r\n*1\r\n:1\r\n$3\r\n\r\n0\r\n')
    expect(elementsOf(nested)!.map(String)).toEqual(['%1\r\n+a\r\n*1\r\n:1\r\n', '$3\r\n\r\n0\r\n'])
    expect(sameElements(reply('*2\r\n+a\r\n+b\r\n'), reply('*2\r\n+b\r\n+a\r\n'))).toBeNull()
    expect(sameElements(reply('*2\r\n+a\r\n+a\r\n'), reply('*2\r\n+b\r\n+a\r\n'))).not.toBeNull()
    expect(sameElements(reply('~1\r\n+a\r\n'), reply('*1\r\n+a\r\n'))).not.toBeNull()
  })

  test('replies of one kind', () => {
    expect(sameType(reply('$1\r\na\r\n'), reply('$2\r\nbc\r\n'))).toBeNull()
    expect(sameType(reply('$-1\r\n'), reply('$2\r\nbc\r\n'))).not.toBeNull()
    expect(sameType(reply('-ERR a\r\n'), reply('-ERR b\r\n'))).not.toBeNull()
  })
})
