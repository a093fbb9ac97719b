/**
 * Random commands, one by one: what each propagates and announces, ours against real redis-server's replication stream
 * and keyspace events. O7_SEED replays a run, O7_COMMANDS sets its length.
 */
import { describe, expect, onTestFinished, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'
import { isAvailable, ReplyJudge, showWords } from '../support/differential.ts'
import { CommandDraw } from '../support/generator.ts'
import { ALL_GENERATORS } from '../support/generators.ts'
import { effectsLike, type Observation, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'
import { showReply } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

const COUNT = Number(process.env.O7_COMMANDS ?? 3000)
/** Far bits and offsets meet the limit instead of making long strings. */
const STRING_BYTES_MAX = 1024 * 1024
const MS_PER_COMMAND = 20

describe.skipIf(!hasRedisServer())(`effects of random commands, seed ${SEED}`, () => {
  test.each([2, 3] as const)(
    'RESP%i: the same effects and events',
    async (protocol) => {
      const observers = await startObservers({
        protocol,
        directives: { 'proto-max-bulk-len': STRING_BYTES_MAX },
      })
      onTestFinished(() => observers.close())
      const names = new Set(builtInCommands(null).map(({ fullName }) => fullName))
      const generators = ALL_GENERATORS.filter((generator) => isAvailable(generator, names))
      const commands = new CommandDraw(generators, Random.fromSeed(SEED))
      const judge = new ReplyJudge()
      const history: string[] = []
      for (let i = 0; i < COUNT; i++) {
        const command = commands.next()
        const args = command.words.map((word) => Buffer.from(word, 'latin1'))
        history.push(showWords(command.words))
        const theirs = await observers.theirs.run(args)
        const ours = await observers.ours.run(args)
        const problem = judge.judge(command, ours.reply, theirs.reply) ?? difference(command.words[0]!, ours, theirs)
        if (problem === null) continue
        expect.fail(
          [
            `seed ${SEED}, command ${i}: ${problem}`,
            `ours:   ${show(ours)}`,
            `theirs: ${show(theirs)}`,
            'The last commands:',
            ...history.slice(-30),
          ].join('\n'),
        )
      }
      expect(history).toHaveLength(COUNT)
    },
    60_000 + COUNT * MS_PER_COMMAND,
  )
})

function difference(name: string, ours: Observation, theirs: Observation): string | null {
  const same = (one: readonly string[], other: readonly string[]) => one.join('\n') === other.join('\n')
  if (!same(ours.effects, effectsLike(theirs, ours))) return 'the effects differ'
  return same(eventsOf(name, ours), eventsOf(name, theirs)) ? null : 'the events differ'
}

/** SORT asks for the keys of BY and GET in the order of its source, which of a hash table is each server's own. */
function eventsOf(name: string, { events }: Observation): readonly string[] {
  if (!/^sort/i.test(name)) return events
  const isMiss = (event: string) => /^\d+:keymiss /.test(event)
  return [...events.filter(isMiss).sort(), ...events.filter((event) => !isMiss(event))]
}

function show({ reply, effects, events }: Observation): string {
  return `${showReply(reply, 300)}\n  effects ${effects.join(' | ').slice(0, 2000)}\n  events ${events.join(' | ')}`
}
