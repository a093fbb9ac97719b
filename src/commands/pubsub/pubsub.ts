/**
 * PUBSUB CHANNELS, NUMSUB, NUMPAT, SHARDCHANNELS, SHARDNUMSUB: who listens to what.
 * Source: Redis command reference, PUBSUB (since 2.8.0).
 */
import type { Argv } from '../../base/argv.ts'
import { globMatch } from '../../base/glob.ts'
import { type CommandDefinition, defineCommand } from '../../engine/command.ts'
import { LOADING, PUBSUB, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import type { Session } from '../../engine/session.ts'
import { replySubcommandError } from '../../engine/subcommand-error.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const FLAGS = PUBSUB | LOADING | STALE

const HELP = [
  'CHANNELS [<pattern>]',
  "    Return the currently active channels matching a <pattern> (default: '*').",
  'NUMPAT',
  '    Return number of subscriptions to patterns.',
  'NUMSUB [<channel> ...]',
  '    Return the number of subscribers for the specified channels, excluding',
  '    pattern subscriptions(default: no channels).',
  'SHARDCHANNELS [<pattern>]',
  "    Return the currently active shard level channels matching a <pattern> (default: '*').",
  'SHARDNUMSUB [<shardchannel> ...]',
  '    Return the number of subscribers for the specified shard level channel(s)',
]

type Listeners = ReadonlyMap<string, ReadonlySet<Session>>

const channels: CommandDefinition = {
  name: 'CHANNELS',
  arity: -2,
  flags: FLAGS,
  doc: {
    group: 'pubsub',
    since: '2.8.0',
    complexity: 'O(N) for N channels, with short patterns',
    summary: 'Lists the channels that somebody listens to.',
  },
  run(ctx, argv, reply) {
    replyNames(ctx.engine.pubsub.channels, argv, reply)
  },
}

const numSub: CommandDefinition = {
  name: 'NUMSUB',
  arity: -2,
  flags: FLAGS,
  doc: {
    group: 'pubsub',
    since: '2.8.0',
    complexity: 'O(N) for N channels',
    summary: 'Counts the clients that listen to channels.',
  },
  run(ctx, argv, reply) {
    replyCounts(ctx.engine.pubsub.channels, argv, reply)
  },
}

const numPat: CommandDefinition = {
  name: 'NUMPAT',
  arity: 2,
  flags: FLAGS,
  doc: {
    group: 'pubsub',
    since: '2.8.0',
    complexity: 'O(1)',
    summary: 'Counts the patterns that somebody listens to.',
  },
  run(ctx, _argv, reply) {
    reply.integer(ctx.engine.pubsub.patterns.size)
  },
}

const shardChannels: CommandDefinition = {
  name: 'SHARDCHANNELS',
  arity: -2,
  flags: FLAGS,
  doc: {
    group: 'pubsub',
    since: '7.0.0',
    complexity: 'O(N) for N shard channels, with short patterns',
    summary: 'Lists the shard channels that somebody listens to.',
  },
  run(ctx, argv, reply) {
    replyNames(ctx.engine.pubsub.shardChannels, argv, reply)
  },
}

const shardNumSub: CommandDefinition = {
  name: 'SHARDNUMSUB',
  arity: -2,
  flags: FLAGS,
  doc: {
    group: 'pubsub',
    since: '7.0.0',
    complexity: 'O(N) for N shard channels',
    summary: 'Counts the clients that listen to shard channels.',
  },
  run(ctx, argv, reply) {
    replyCounts(ctx.engine.pubsub.shardChannels, argv, reply)
  },
}

const help: CommandDefinition = {
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE,
  doc: { group: 'pubsub', since: '6.2.0', complexity: 'O(1)', summary: 'Lists the subcommands.' },
  run(_ctx, _argv, reply) {
    replyHelp(reply, 'PUBSUB', HELP)
  },
}

export const pubsub = defineCommand({
  name: 'PUBSUB',
  arity: -2,
  flags: 0,
  doc: {
    group: 'pubsub',
    since: '2.8.0',
    complexity: 'Depends on the subcommand.',
    summary: 'Commands about channels and who listens to them.',
  },
  subcommands: [channels, help, numPat, numSub, shardChannels, shardNumSub],
})

function replyNames(all: Listeners, argv: Argv, reply: ReplyWriter): void {
  if (argv.count > 3) return replySubcommandError(argv, reply)
  let names = [...all.keys()]
  if (argv.count === 3) {
    const start = argv.starts[2]!
    const end = start + argv.lengths[2]!
    names = names.filter((name) => {
      const bytes = Buffer.from(name, 'latin1')
      return globMatch(argv.bytes, start, end, bytes, 0, bytes.length, false)
    })
  }
  reply.array(names.length)
  for (const name of names) reply.bulkLatin1(name)
}

function replyCounts(all: Listeners, argv: Argv, reply: ReplyWriter): void {
  reply.array((argv.count - 2) * 2)
  for (let i = 2; i < argv.count; i++) {
    reply.bulk(argv.bytes, argv.starts[i]!, argv.lengths[i]!)
    reply.integer(all.get(argv.latin1(i))?.size ?? 0)
  }
}
