/**
 * LATENCY DOCTOR | GRAPH | HISTOGRAM | HISTORY | LATEST | RESET | HELP: what took long, and how commands' times are
 * distributed. Source: Redis command reference, LATENCY (since 2.8.13), and its page on latency monitoring.
 */
import type { HdrHistogram } from '../../base/hdr-histogram.ts'
import { type Command, type CommandDefinition, defineCommand } from '../../engine/command.ts'
import type { CommandEntry } from '../../engine/command-table.ts'
import type { Engine } from '../../engine/engine.ts'
import { ADMIN, LOADING, NOSCRIPT, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import type { LatencySeries } from '../../engine/latency-monitor.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import type { Server } from '../server.ts'
import { serverOf } from './host.ts'
import { latencyReport } from './latency-doctor.ts'
import { renderSparkline } from './sparkline.ts'

const FLAGS = ADMIN | NOSCRIPT | LOADING | STALE
const GRAPH_COLUMNS = 80
const GRAPH_ROWS = 4
/** The first bucket of a histogram ends here, nanoseconds; each further one is twice as long. */
const FIRST_BUCKET_NS = 1024

const HELP = [
  'DOCTOR',
  '    Return a human readable latency analysis report.',
  'GRAPH <event>',
  '    Return an ASCII latency graph for the <event> class.',
  'HISTORY <event>',
  '    Return time-latency samples for the <event> class.',
  'LATEST',
  '    Return the latest latency samples for all events.',
  'RESET [<event> ...]',
  '    Reset latency data of one or more <event> classes.',
  '    (default: reset all data for all event classes)',
  'HISTOGRAM [COMMAND ...]',
  '    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.',
  '    If no commands are specified then all histograms are replied.',
]

const graph: CommandDefinition = {
  name: 'GRAPH',
  arity: 3,
  flags: FLAGS,
  doc: { group: 'server', since: '2.8.13', complexity: 'O(1)', summary: 'Draws the samples of an event.' },
  run({ engine }, argv, reply) {
    const event = argv.latin1(2)
    const series = engine.latency.events.get(event)
    if (series === undefined) return reply.errorText(`ERR No samples available for event '${event}'`)
    reply.verbatim(graphOf(event, series, Math.floor(engine.clock.nowMs / 1000)), 'txt')
  },
}

function graphOf(event: string, { samples, maxMs }: LatencySeries, nowSeconds: number): string {
  const values = samples.map(({ latencyMs }) => latencyMs)
  const high = Math.max(...values)
  const low = Math.min(...values)
  const heading = `${event} - high ${high} ms, low ${low} ms (all time high ${maxMs} ms)\n`
  const points = samples.map(({ latencyMs, timeSeconds }) => ({
    value: latencyMs,
    label: agoText(nowSeconds - timeSeconds),
  }))
  return `${heading}${'-'.repeat(GRAPH_COLUMNS)}\n${renderSparkline(points, GRAPH_COLUMNS, GRAPH_ROWS)}`
}

function agoText(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

const help: CommandDefinition = {
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE,
  doc: { group: 'server', since: '2.8.13', complexity: 'O(1)', summary: 'Describes the subcommands.' },
  run(_ctx, _argv, reply) {
    replyHelp(reply, 'LATENCY', HELP)
  },
}

const histogram: CommandDefinition = {
  name: 'HISTOGRAM',
  arity: -2,
  flags: FLAGS,
  doc: {
    group: 'server',
    since: '7.0.0',
    complexity: 'O(N) where N is the number of commands with latency information being retrieved.',
    summary: 'Returns how the times of commands are distributed.',
  },
  run({ engine }, argv, reply) {
    const gap = reply.gap()
    let count = 0
    const show = ({ command, latency }: CommandEntry) => {
      if (latency === null) return
      reply.bulkLatin1(command.fullName)
      replyHistogram(reply, latency)
      count++
    }
    for (const entry of argv.count === 2
      ? engine.commands.entries()
      : named(engine, argv.count, (i) => argv.latin1(i))) {
      show(entry)
      if (entry.subcommands !== null) for (const child of entry.subcommands.values()) show(child)
    }
    reply.fillMap(gap, count)
  },
}

function* named(engine: Engine, count: number, nameAt: (index: number) => string): Generator<CommandEntry> {
  for (let i = 2; i < count; i++) {
    const entry = engine.commands.byFullName(nameAt(i))
    if (entry !== null) yield entry
  }
}

function replyHistogram(reply: ReplyWriter, latency: HdrHistogram): void {
  reply.map(2)
  reply.bulkText('calls')
  reply.integer(latency.totalCount)
  reply.bulkText('histogram_usec')
  const gap = reply.gap()
  let buckets = 0
  latency.forEachLogBucket(FIRST_BUCKET_NS, (highestNs, cumulativeCount) => {
    reply.integer(Math.floor(highestNs / 1000))
    reply.integer(cumulativeCount)
    buckets++
  })
  reply.fillMap(gap, buckets)
}

const history: CommandDefinition = {
  name: 'HISTORY',
  arity: 3,
  flags: FLAGS,
  doc: { group: 'server', since: '2.8.13', complexity: 'O(1)', summary: 'Returns the samples of an event.' },
  run({ engine }, argv, reply) {
    const samples = engine.latency.events.get(argv.latin1(2))?.samples ?? []
    reply.array(samples.length)
    for (const { timeSeconds, latencyMs } of samples) {
      reply.array(2)
      reply.integer(timeSeconds)
      reply.integer(latencyMs)
    }
  },
}

const latest: CommandDefinition = {
  name: 'LATEST',
  arity: 2,
  flags: FLAGS,
  doc: { group: 'server', since: '2.8.13', complexity: 'O(1)', summary: 'Returns the newest sample of each event.' },
  run({ engine }, _argv, reply) {
    const { events } = engine.latency
    reply.array(events.size)
    for (const [event, { samples, maxMs }] of events) {
      const { timeSeconds, latencyMs } = samples.at(-1)!
      reply.array(4)
      reply.bulkLatin1(event)
      reply.integer(timeSeconds)
      reply.integer(latencyMs)
      reply.integer(maxMs)
    }
  },
}

const reset: CommandDefinition = {
  name: 'RESET',
  arity: -2,
  flags: FLAGS,
  doc: { group: 'server', since: '2.8.13', complexity: 'O(1)', summary: 'Forgets the samples of events.' },
  run({ engine }, argv, reply) {
    const names: string[] = []
    for (let i = 2; i < argv.count; i++) names.push(argv.latin1(i))
    reply.integer(engine.latency.reset(names))
  },
}

export function latencyCommands(server: Server | null): readonly Command[] {
  const doctor: CommandDefinition = {
    name: 'DOCTOR',
    arity: 2,
    flags: FLAGS,
    doc: { group: 'server', since: '2.8.13', complexity: 'O(1)', summary: 'Reports on latency in words.' },
    run(_ctx, _argv, reply) {
      reply.verbatim(latencyReport(serverOf(server)), 'txt')
    },
  }
  return [
    defineCommand({
      name: 'LATENCY',
      arity: -2,
      flags: 0,
      doc: {
        group: 'server',
        since: '2.8.13',
        complexity: 'Depends on subcommand.',
        summary: 'Reports what took long.',
      },
      subcommands: [doctor, graph, help, histogram, history, latest, reset],
    }),
  ]
}
