/** DEBUG subcommands about the process and the server as a whole: SLEEP, JMAP, RELOAD, crashes, and switches for tests. */

import v8 from 'node:v8'
import type { Argv } from '../../../base/argv.ts'
import { strtod } from '../../../base/double-text.ts'
import { globMatch } from '../../../base/glob.ts'
import { parseMemorySize } from '../../../base/int64-text.ts'
import type { Random } from '../../../base/random.ts'
import { replySubcommandError } from '../../../engine/subcommand-error.ts'
import { ENTRY_EXPIRE_BYTES, ENTRY_HEADER_BYTES } from '../../../keyspace/entry.ts'
import { GRANULE_BYTES, SLAB_BYTES } from '../../../memory/arena.ts'
import { PersistenceError } from '../../../persistence/errors.ts'
import { cString } from '../../config/text.ts'
import { rewriteConfig } from '../../config-host.ts'
import { Crash } from '../../crash.ts'
import { atoi, type DebugSubcommand, integerAt } from './arguments.ts'

const ANY = Number.POSITIVE_INFINITY
const SIGSEGV = 11
/** What the largest allocation asks for (SIZE_MAX / 2). */
const HUGE_BYTES = '9223372036854775807'
const REPLY_PEAK_RESET_DEFAULT_MS = 5000
const PACKED_THRESHOLD_MAX = 2n ** 32n - 2n ** 20n
const PACKED_THRESHOLD_DEFAULT = 2n ** 30n
const FUZZ_ROUNDS = 100_000
const FUZZ_BYTES_MAX = 32

/** A switch for tests. */
function flag(
  name: string,
  help: readonly string[],
  set: (server: Parameters<DebugSubcommand['run']>[0], value: number) => void,
): DebugSubcommand {
  return {
    name,
    countMin: 3,
    countMax: 3,
    help,
    run(server, _ctx, argv, reply) {
      set(server, atoi(argv, 2))
      reply.ok()
    },
  }
}

function crash(name: string, help: readonly string[], make: (nowSeconds: number) => Crash): DebugSubcommand {
  return {
    name,
    countMin: 2,
    countMax: ANY,
    help,
    run(_server, ctx) {
      ctx.engine.fail(make(Math.floor(ctx.nowMs / 1000)), ctx)
    },
  }
}

export const processSubcommands: readonly DebugSubcommand[] = [
  crash('ASSERT', ['ASSERT', '    Crash by assertion failed.'], () => new Crash('assertion', '1 == 2')),
  {
    name: 'CHANGE-REPL-ID',
    countMin: 2,
    countMax: 2,
    help: [
      'CHANGE-REPL-ID',
      '    Change the replication IDs of the instance.',
      '    Dangerous: should be used only for testing the replication subsystem.',
    ],
    run({ logger, replication }, _ctx, _argv, reply) {
      logger.warning('Changing replication IDs after receiving DEBUG change-repl-id')
      replication.changeHistory()
      reply.ok()
    },
  },
  {
    name: 'CLIENT-EVICTION',
    countMin: 2,
    countMax: 2,
    help: ['CLIENT-EVICTION', '    Show low level client eviction pools info (maxmemory-clients).'],
    run(_server, _ctx, _argv, reply) {
      // maxmemory-clients cannot be set.
      reply.errorText('ERR maxmemory-clients is disabled.')
    },
  },
  {
    name: 'CONFIG-REWRITE-FORCE-ALL',
    countMin: 2,
    countMax: 2,
    help: [
      'CONFIG-REWRITE-FORCE-ALL',
      '    Like CONFIG REWRITE but writes all configuration options, including',
      '    keywords not listed in original configuration file or default values.',
    ],
    run(server, _ctx, _argv, reply) {
      const reason = server.config.configFile === null ? 'Bad address' : rewriteConfig(server, true)
      if (reason !== null) reply.errorText(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${reason}`)
      else reply.ok()
    },
  },
  {
    name: 'JMAP',
    countMin: 2,
    countMax: 2,
    help: ['JMAP', '    Show how the heap of the JavaScript engine is used.'],
    run(_server, _ctx, _argv, reply) {
      reply.verbatim(heapReport(), 'txt')
    },
  },
  {
    name: 'LEAK',
    countMin: 3,
    countMax: 3,
    help: ['LEAK <string>', '    Create a memory leak of the input string.'],
    run(_server, { engine }, argv, reply) {
      const { arena } = engine.keyspace
      const ref = arena.allocate(argv.lengthBytes(2))
      arena.view8(ref).set(argv.view(2), arena.at8(ref))
      reply.ok()
    },
  },
  {
    name: 'LOG',
    countMin: 3,
    countMax: 3,
    help: ['LOG <message>', '    Write <message> to the server log.'],
    run({ logger }, _ctx, argv, reply) {
      logger.warning(`DEBUG LOG: ${cString(argv.utf8(2))}`)
      reply.ok()
    },
  },
  crash(
    'OOM',
    ['OOM', '    Crash the server simulating an out-of-memory error.'],
    () => new Crash('panic', `Redis aborting for OUT OF MEMORY. Allocating ${HUGE_BYTES} bytes!`),
  ),
  crash(
    'PANIC',
    ['PANIC', '    Crash the server simulating a panic.'],
    (nowSeconds) => new Crash('panic', `DEBUG PANIC called at Unix time ${nowSeconds}`),
  ),
  flag('PAUSE-CRON', ['PAUSE-CRON <0|1>', '    Stop periodic cron job processing.'], ({ cron }, value) => {
    cron.isPaused = value !== 0
  }),
  {
    name: 'QUICKLIST-PACKED-THRESHOLD',
    countMin: 3,
    countMax: 3,
    help: [
      'QUICKLIST-PACKED-THRESHOLD <size>',
      '    Sets the threshold for elements to be inserted as plain vs packed nodes',
      '    Default value is 1GB, allows values up to 4GB. Setting to 0 restores to default.',
    ],
    run(_server, { engine }, argv, reply) {
      const size = parseMemorySize(cString(argv.latin1(2)))
      if (size === null || size > PACKED_THRESHOLD_MAX) {
        return reply.errorText('ERR argument must be a memory value bigger than 1 and smaller than 4gb')
      }
      engine.keyspace.lists.quicklists.plainBytesMin = Number(size === 0n ? PACKED_THRESHOLD_DEFAULT : size)
      reply.ok()
    },
  },
  {
    name: 'LOADAOF',
    countMin: 2,
    countMax: ANY,
    help: ['LOADAOF', '    Flush the AOF buffers on disk and reload the AOF in memory.'],
    run({ persistence }, { engine }, _argv, reply) {
      if (!persistence.aof.reload()) {
        engine.fail(new PersistenceError('AOF', -1, 'loading the append-only file failed'), null)
        return
      }
      engine.keyspace.dirty = 0
      engine.log('warning', 'Append Only File loaded by DEBUG LOADAOF')
      reply.ok()
    },
  },
  {
    name: 'AOF-FLUSH-SLEEP',
    countMin: 3,
    countMax: 3,
    help: ['AOF-FLUSH-SLEEP <microsec>', '    Server will sleep before flushing the AOF, this is used for testing.'],
    run({ persistence }, _ctx, argv, reply) {
      persistence.settings.flushDelayUs = atoi(argv, 2)
      reply.ok()
    },
  },
  {
    name: 'RELOAD',
    countMin: 2,
    countMax: ANY,
    help: [
      'RELOAD [option ...]',
      '    Save the RDB on disk and reload it back to memory. Valid <option> values:',
      '    * MERGE: conflicting keys will be loaded from RDB.',
      '    * NOFLUSH: the existing database will not be removed before load, but',
      '      conflicting keys will generate an exception and kill the server.',
      '    * NOSAVE: the database will be loaded from an existing RDB file.',
      '    Examples:',
      '    * DEBUG RELOAD: verify that the server is able to persist, flush and reload',
      '      the database.',
      '    * DEBUG RELOAD NOSAVE: replace the current database with the contents of an',
      '      existing RDB file.',
      '    * DEBUG RELOAD NOSAVE NOFLUSH MERGE: add the contents of an existing RDB',
      '      file to the database.',
    ],
    run({ persistence }, _ctx, argv, reply) {
      const options = { save: true, flush: true, merge: false }
      for (let i = 2; i < argv.count; i++) {
        if (argv.is(i, 'MERGE')) options.merge = true
        else if (argv.is(i, 'NOFLUSH')) options.flush = false
        else if (argv.is(i, 'NOSAVE')) options.save = false
        else return reply.errorText('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.')
      }
      const error = persistence.reload(options)
      if (error !== null) reply.error(error)
      else reply.ok()
    },
  },
  {
    name: 'REPLICATE',
    countMin: 3,
    countMax: ANY,
    help: ['REPLICATE <string>', '    Replicates the provided string to replicas, allowing data divergence.'],
    run(_server, ctx, argv, reply) {
      ctx.engine.effects.add(ctx.db.index, argv.tail(2).copy())
      reply.ok()
    },
  },
  {
    name: 'REPLYBUFFER',
    countMin: 4,
    countMax: 4,
    help: [
      'REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>',
      '    Sets the time (in milliseconds) to wait between client reply buffer peak resets.',
      '    In case NEVER is provided the last observed peak will never be reset',
      '    In case RESET is provided the peak reset time will be restored to the default value',
      'REPLYBUFFER RESIZING <0|1>',
      '    Enable or disable the reply buffer resize cron job',
    ],
    run(_server, { engine: { settings } }, argv, reply) {
      if (argv.is(2, 'RESIZING')) settings.replyBufferResizing = atoi(argv, 3) !== 0
      else if (!argv.is(2, 'PEAK-RESET-TIME')) return replySubcommandError(argv, reply)
      else if (argv.is(3, 'NEVER')) settings.replyBufferPeakResetMs = -1
      else if (argv.is(3, 'RESET')) settings.replyBufferPeakResetMs = REPLY_PEAK_RESET_DEFAULT_MS
      else {
        const ms = integerAt(argv, 3, reply)
        if (ms === null) return
        settings.replyBufferPeakResetMs = ms
      }
      reply.ok()
    },
  },
  crash(
    'SEGFAULT',
    ['SEGFAULT', '    Crash the server with sigsegv.'],
    () => new Crash('signal', 'DEBUG SEGFAULT', SIGSEGV),
  ),
  flag(
    'SET-ACTIVE-EXPIRE',
    [
      'SET-ACTIVE-EXPIRE <0|1>',
      '    Setting it to 0 disables expiring keys in background when they are not',
      '    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the',
      '    default.',
    ],
    ({ engine }, value) => {
      engine.settings.activeExpire = value !== 0
    },
  ),
  flag(
    'SET-SKIP-CHECKSUM-VALIDATION',
    [
      'SET-SKIP-CHECKSUM-VALIDATION <0|1>',
      "    Enables or disables checksum checks for RDB files and RESTORE's payload.",
    ],
    ({ persistence }, value) => {
      persistence.settings.skipsChecksum = value !== 0
    },
  ),
  {
    name: 'SLEEP',
    countMin: 3,
    countMax: 3,
    help: ['SLEEP <seconds>', '    Stop the server for <seconds>. Decimals allowed.'],
    run(_server, _ctx, argv, reply) {
      const start = argv.starts[2]!
      const seconds = strtod(argv.bytes, start, start + argv.lengthBytes(2)).value
      // Nobody is served meanwhile, in this whole process: that is what it is for.
      if (seconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000)
      reply.ok()
    },
  },
  {
    name: 'STRINGMATCH-LEN',
    countMin: 4,
    countMax: 4,
    help: ['STRINGMATCH-LEN <pattern> <string>', '    Tell whether <string> matches the glob-style <pattern>.'],
    run(_server, _ctx, argv, reply) {
      reply.integer(Number(matches(argv)))
    },
  },
  {
    name: 'STRINGMATCH-TEST',
    countMin: 2,
    countMax: 2,
    help: ['STRINGMATCH-TEST', '    Run a fuzz tester against the stringmatchlen() function.'],
    run(_server, { engine }, _argv, reply) {
      fuzzMatch(engine.random)
      reply.status('Apparently Redis did not crash: test passed')
    },
  },
  {
    name: 'STRUCTSIZE',
    countMin: 2,
    countMax: 2,
    help: ['STRUCTSIZE', '    Return the size of different Redis core C structures.'],
    run(_server, _ctx, _argv, reply) {
      reply.bulkText(
        `bits:64 entry:${ENTRY_HEADER_BYTES} expire:${ENTRY_EXPIRE_BYTES} granule:${GRANULE_BYTES} slab:${SLAB_BYTES} `,
      )
    },
  },
]

function matches(argv: Argv): boolean {
  const pattern = argv.starts[2]!
  const text = argv.starts[3]!
  return globMatch(
    argv.bytes,
    pattern,
    pattern + argv.lengthBytes(2),
    argv.bytes,
    text,
    text + argv.lengthBytes(3),
    false,
  )
}

function fuzzMatch(random: Random): void {
  const bytes = () => Uint8Array.from({ length: random.below(FUZZ_BYTES_MAX + 1) }, () => random.below(128))
  for (let round = 0; round < FUZZ_ROUNDS; round++) {
    const pattern = bytes()
    const text = bytes()
    globMatch(pattern, 0, pattern.length, text, 0, text.length, false)
  }
}

function heapReport(): string {
  const facts = Object.entries(v8.getHeapStatistics()).map(([name, value]) => `${name}: ${value}`)
  const spaces = v8
    .getHeapSpaceStatistics()
    .map((space) => `${space.space_name}: used ${space.space_used_size} of ${space.space_size}`)
  return `${[...facts, ...spaces].join('\n')}\n`
}
