/**
 * MEMORY DOCTOR | MALLOC-STATS | PURGE | STATS | USAGE | HELP. Figures are of this server's own structures, so they are
 * smaller than Redis's; names and forms are Redis's. Source: Redis command reference, MEMORY (since 4.0.0).
 */
import { bytesToHuman } from '../../base/byte-text.ts'
import { fixedText } from '../../base/double-text.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { ALLOCATOR } from '../../base/version.ts'
import { type Command, type CommandDefinition, defineCommand, KEY_RO, keyAt } from '../../engine/command.ts'
import { LOADING, READONLY, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import type { Db } from '../../keyspace/db.ts'
import { NO_KEY, TYPE_STRING } from '../../keyspace/entry.ts'
import { type Arena, type Ref, SLAB_BYTES } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { memoryReport, type Overhead } from '../memory-report.ts'
import type { Server } from '../server.ts'
import { serverOf } from './host.ts'
import { memoryDoctorReport } from './memory-doctor.ts'

/** Elements of a nested value that are measured unless SAMPLES says otherwise (OBJ_COMPUTE_SIZE_DEF_SAMPLES). */
const SAMPLES_DEFAULT = 5
/** What an entry takes in a hash table, on average (hash-table.ts). */
const SLOT_BYTES = 8

const HELP = [
  'DOCTOR',
  '    Return memory problems reports.',
  'MALLOC-STATS',
  '    Return internal statistics report from the memory allocator.',
  'PURGE',
  '    Attempt to purge dirty pages for reclamation by the allocator.',
  'STATS',
  '    Return information about the memory usage of the server.',
  'USAGE <key> [SAMPLES <count>]',
  '    Return memory in bytes used by <key> and its value. Nested values are',
  '    sampled up to <count> times (default: 5, 0 means sample all).',
]

const help: CommandDefinition = {
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE,
  doc: { group: 'server', since: '4.0.0', complexity: 'O(1)', summary: 'Describes the subcommands.' },
  run(_ctx, _argv, reply) {
    replyHelp(reply, 'MEMORY', HELP)
  },
}

const usage: CommandDefinition = {
  name: 'USAGE',
  arity: -3,
  flags: READONLY,
  keys: [keyAt(2, KEY_RO)],
  doc: {
    group: 'server',
    since: '4.0.0',
    complexity: 'O(N) where N is the number of samples.',
    summary: 'Estimates the bytes that a key and its value take.',
  },
  run({ db }, argv, reply) {
    let samples = SAMPLES_DEFAULT
    for (let i = 3; i < argv.count; i += 2) {
      if (!argv.is(i, 'SAMPLES') || i + 1 === argv.count) return reply.error(ERR_SYNTAX)
      const start = argv.starts[i + 1]!
      const value = parseInt64(argv.bytes, start, start + argv.lengthBytes(i + 1))
      if (value === null) return reply.error(ERR_NOT_INTEGER)
      if (value < 0n) return reply.error(ERR_SYNTAX)
      samples = Number(value)
    }
    const entry = db.peekOverdue(argv.bytes, argv.starts[2]!, argv.lengthBytes(2))
    if (entry === NO_KEY) return reply.null()
    reply.integer(usageBytes(db, entry, samples))
  },
}

/** The entry's block, a slot in each of its tables, and what a value other than a string has besides. */
function usageBytes(db: Db, entry: Ref, samples: number): number {
  const { types } = db.keyspace
  const bytes = db.blockBytes(entry) + SLOT_BYTES + (db.expireAtMs(entry) === -1 ? 0 : SLOT_BYTES)
  const type = db.typeOf(entry)
  if (type === TYPE_STRING) return bytes
  return bytes + types[type]!.sizeBytes(db.rootOf(entry), db.encodingOf(entry), samples)
}

export function memoryCommands(server: Server | null): readonly Command[] {
  const doctor: CommandDefinition = {
    name: 'DOCTOR',
    arity: 2,
    flags: 0,
    doc: { group: 'server', since: '4.0.0', complexity: 'O(1)', summary: 'Reports on the use of memory in words.' },
    run(_ctx, _argv, reply) {
      reply.verbatim(memoryDoctorReport(serverOf(server)), 'txt')
    },
  }

  const mallocStats: CommandDefinition = {
    name: 'MALLOC-STATS',
    arity: 2,
    flags: 0,
    doc: {
      group: 'server',
      since: '4.0.0',
      complexity: 'Depends on how much memory is allocated, could be slow',
      summary: 'Reports how the allocator uses its pages.',
    },
    run({ engine }, _argv, reply) {
      reply.verbatim(allocatorReport(engine.keyspace.arena), 'txt')
    },
  }

  const purge: CommandDefinition = {
    name: 'PURGE',
    arity: 2,
    flags: 0,
    doc: {
      group: 'server',
      since: '4.0.0',
      complexity: 'Depends on how much memory is allocated, could be slow',
      summary: 'Gives memory that is held and not used back to the system.',
    },
    run({ engine }, _argv, reply) {
      engine.keyspace.arena.trim(true)
      reply.ok()
    },
  }

  const stats: CommandDefinition = {
    name: 'STATS',
    arity: 2,
    flags: 0,
    doc: { group: 'server', since: '4.0.0', complexity: 'O(1)', summary: 'Returns figures on the use of memory.' },
    run(_ctx, _argv, reply) {
      replyStats(reply, serverOf(server))
    },
  }

  return [
    defineCommand({
      name: 'MEMORY',
      arity: -2,
      flags: 0,
      doc: {
        group: 'server',
        since: '4.0.0',
        complexity: 'Depends on subcommand.',
        summary: 'Reports on the use of memory.',
      },
      subcommands: [doctor, help, mallocStats, purge, stats, usage],
    }),
  ]
}

function replyStats(reply: ReplyWriter, server: Server): void {
  const report = memoryReport(server)
  const { databases } = report
  const integer = (name: string, value: number) => {
    reply.bulkText(name)
    reply.integer(value)
  }
  const double = (name: string, value: number) => {
    reply.bulkText(name)
    reply.double(value)
  }
  const overhead = (name: string, { ratio, bytes }: Overhead) => {
    double(`${name}.ratio`, ratio)
    integer(`${name}.bytes`, bytes)
  }
  reply.map(27 + databases.length)
  integer('peak.allocated', report.peakBytes)
  integer('total.allocated', report.usedBytes)
  integer('startup.allocated', report.startupBytes)
  integer('replication.backlog', report.backlogBytes)
  integer('clients.slaves', report.replicasBytes)
  integer('clients.normal', report.clientsBytes)
  integer('cluster.links', 0)
  integer('aof.buffer', report.aofBufferBytes)
  integer('lua.caches', 0)
  integer('functions.caches', 0)
  for (const { index, mainBytes, expiresBytes } of databases) {
    reply.bulkText(`db.${index}`)
    reply.map(3)
    integer('overhead.hashtable.main', mainBytes)
    integer('overhead.hashtable.expires', expiresBytes)
    integer('overhead.hashtable.slot-to-keys', 0)
  }
  integer('overhead.total', report.overheadBytes)
  integer('keys.count', report.keys)
  integer('keys.bytes-per-key', report.bytesPerKey)
  integer('dataset.bytes', report.datasetBytes)
  double('dataset.percentage', report.datasetPercent)
  double('peak.percentage', report.peakPercent)
  integer('allocator.allocated', report.allocatedBytes)
  integer('allocator.active', report.activeBytes)
  integer('allocator.resident', report.residentBytes)
  overhead('allocator-fragmentation', report.allocatorFragmentation)
  overhead('allocator-rss', report.allocatorRss)
  overhead('rss-overhead', report.rssOverhead)
  double('fragmentation', report.fragmentation.ratio)
  integer('fragmentation.bytes', report.fragmentation.bytes)
}

function allocatorReport(arena: Arena): string {
  const usage = arena.classUsage()
  const lines = [
    `___ Begin ${ALLOCATOR} statistics ___`,
    `Allocated: ${arena.usedBytes}, active: ${arena.activeBytes()}, resident: ${arena.heldBytes} (${bytesToHuman(arena.heldBytes)})`,
    `Pages: ${arena.pageCount()}`,
    '',
    `${'size'.padStart(8)} ${'blocks'.padStart(12)} ${'slabs'.padStart(10)} ${'used'.padStart(8)}`,
  ]
  for (const [index, { blockBytes, blocks, slabs }] of usage.entries()) {
    if (blocks === 0 && slabs === 0) continue
    const size = index === usage.length - 1 ? 'huge' : index === usage.length - 2 ? 'spans' : String(blockBytes)
    const used = blockBytes === 0 ? '' : `${fixedText((blocks * blockBytes * 100) / (slabs * SLAB_BYTES), 1)}%`
    lines.push(
      `${size.padStart(8)} ${String(blocks).padStart(12)} ${String(slabs).padStart(10)} ${used.padStart(8)}`.trimEnd(),
    )
  }
  lines.push(`--- End ${ALLOCATOR} statistics ---`)
  return `${lines.join('\n')}\n`
}
