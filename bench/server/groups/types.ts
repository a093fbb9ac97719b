/** Data types beside strings: CPU per command, memory per item, and commands over many items. */
import { loadCommands } from '../load-keys.ts'
import {
  CLIENTS,
  type Group,
  MEMORY_KEYS,
  type Measurement,
  type Sample,
  type Step,
  settledResidentBytes,
  start,
} from '../measurement.ts'
import { cpuTimeUs } from '../process-cost.ts'
import { runRedisBenchmark } from '../redis-benchmark.ts'

interface TypeCommand {
  readonly name: string
  readonly command: readonly string[]
  /** Of the requests that a sample has; commands that take away have fewer than those that fill. */
  readonly share: number
}

const RANDOM = '__rand_int__'

/** In this order: those that take away find what the ones before have put there. */
const TYPE_COMMANDS: readonly TypeCommand[] = [
  { name: 'LPUSH', command: ['LPUSH', 'list', 'xxx'], share: 1 },
  { name: 'RPUSH', command: ['RPUSH', 'list', 'xxx'], share: 1 },
  { name: 'LPOP', command: ['LPOP', 'list'], share: 1 },
  { name: 'RPOP', command: ['RPOP', 'list'], share: 1 },
  { name: 'SADD', command: ['SADD', 'set', `element:${RANDOM}`], share: 1 },
  { name: 'HSET', command: ['HSET', 'hash', `element:${RANDOM}`, 'xxx'], share: 1 },
  { name: 'SPOP', command: ['SPOP', 'set'], share: 0.5 },
  { name: 'ZADD', command: ['ZADD', 'zset', RANDOM, `element:${RANDOM}`], share: 1 },
  { name: 'ZPOPMIN', command: ['ZPOPMIN', 'zset'], share: 0.5 },
  { name: 'LRANGE_100', command: ['LRANGE', 'fixed', '0', '99'], share: 0.1 },
  { name: 'LRANGE_300', command: ['LRANGE', 'fixed', '0', '299'], share: 0.05 },
  { name: 'LRANGE_600', command: ['LRANGE', 'fixed', '0', '599'], share: 0.03 },
  { name: 'XADD', command: ['XADD', 'stream', 'MAXLEN', '~', '100000', '*', 'field', 'xxx'], share: 0.5 },
]
const FIXED_LIST_ITEMS = 1000
const TYPE_KEYSPACE = 1_000_000
const TYPE_REQUESTS: Readonly<Record<number, number>> = { 1: 100_000, 16: 500_000 }

export function typeCommandGroup(pipeline: 1 | 16, cpuRatioMax: number): Group {
  return {
    id: `types-p${pipeline}`,
    title: `Data types, ${CLIENTS} clients, ${pipeline === 1 ? 'no pipelining' : `pipelines of ${pipeline}`}`,
    note: `redis-benchmark -c ${CLIENTS} -P ${pipeline} -r ${TYPE_KEYSPACE}, one key per type. CPU as above.`,
    measurements: TYPE_COMMANDS.flatMap(({ name }): Measurement[] => [
      {
        id: `${name}.cpu`,
        title: `${name} P=${pipeline}: CPU per command`,
        unit: 'us',
        isPlotted: true,
        target: { ratioMax: cpuRatioMax },
      },
      { id: `${name}.p99`, title: `${name} P=${pipeline}: p99`, unit: 'ms' },
    ]),
    async open(program, settings) {
      const server = await start(program)
      await loadCommands(server.port, FIXED_LIST_ITEMS, () => ['RPUSH', 'fixed', 'xxx'])
      const sample = async ({ name, command, share }: TypeCommand, of: number): Promise<Sample> => {
        const wanted = settings.requests ?? TYPE_REQUESTS[pipeline]! * settings.scale
        const requests = Math.ceil(wanted * share * of)
        const before = cpuTimeUs(server.pid)
        const report = await runRedisBenchmark({
          port: server.port,
          clients: CLIENTS,
          pipeline,
          requests,
          keyspace: TYPE_KEYSPACE,
          test: command,
        })
        return {
          [`${name}.cpu`]: (cpuTimeUs(server.pid) - before) / requests,
          [`${name}.p99`]: report.p99Ms,
        }
      }
      // Not counted: lets the JIT compile the path.
      for (const command of TYPE_COMMANDS) await sample(command, 0.5)
      return {
        steps: TYPE_COMMANDS.map((command) => ({ id: command.name, run: () => sample(command, 1) })),
        close: async () => void (await server.stop()),
      }
    },
  }
}

interface Filling {
  readonly id: string
  readonly title: string
  readonly ratioMax: number
  /** Items per command. */
  readonly items: number
  commandAt(index: number): readonly string[]
}

const member = (index: number): string => `member:${String(index).padStart(9, '0')}`
const HASH_FIELDS = 10

const FILLINGS: readonly Filling[] = [
  {
    id: 'zset',
    title: 'sorted set',
    ratioMax: 0.65,
    items: 1,
    // Scores in no order: multiplied by an odd number modulo a power of two.
    commandAt: (index) => ['ZADD', 'key', String((index * 40_503) % 1_048_576), member(index)],
  },
  { id: 'set', title: 'set', ratioMax: 0.55, items: 1, commandAt: (index) => ['SADD', 'key', member(index)] },
  {
    id: 'hashes',
    title: `hashes of ${HASH_FIELDS} small fields`,
    ratioMax: 0.95,
    items: HASH_FIELDS,
    commandAt: (index) => [
      'HSET',
      `hash:${index}`,
      ...Array.from({ length: HASH_FIELDS }, (_, field) => [`field${field}`, `value:${index + field}`]).flat(),
    ],
  },
  { id: 'list', title: 'list', ratioMax: 1, items: 1, commandAt: (index) => ['RPUSH', 'key', member(index)] },
]

export const typeMemoryGroup: Group = {
  id: 'types-memory',
  title: 'Memory of data types',
  note: `${MEMORY_KEYS.toLocaleString('en')} items of 16 bytes in one sorted set, set or list, and as many fields in hashes: resident memory with them less that of the empty server, which is what the items need and what a process takes once when it begins to work. Further items: as many again, which need their own memory alone.`,
  measurements: FILLINGS.flatMap(({ id, title, ratioMax }) => [
    {
      id,
      title: `Bytes per item, ${title}`,
      unit: 'bytes',
      isPlotted: true,
      target: { ratioMax },
    },
    { id: `${id}.further`, title: `Bytes per further item, ${title}`, unit: 'bytes' },
  ]),
  async open(program, settings) {
    const items = Math.ceil(MEMORY_KEYS * settings.scale)
    const stepOf = (filling: Filling): Step => ({
      id: filling.id,
      async run() {
        await using server = await start(program)
        const before = await settledResidentBytes(server.pid)
        const commands = Math.ceil(items / filling.items)
        await loadCommands(server.port, commands, filling.commandAt)
        const filled = await settledResidentBytes(server.pid)
        await loadCommands(server.port, commands, (i) => filling.commandAt(commands + i))
        const filledTwice = await settledResidentBytes(server.pid)
        return {
          [filling.id]: (filled - before) / items,
          [`${filling.id}.further`]: (filledTwice - filled) / items,
        }
      },
    })
    return { steps: FILLINGS.map(stepOf), close: async () => {} }
  },
}

const LARGE_ITEMS = 100_000
const LARGE_ZSET_ITEMS = 1_000_000
const LARGE_ZSET_REQUESTS = 500_000

interface LargeCommand {
  readonly id: string
  readonly title: string
  readonly times: number
  readonly command: readonly string[]
}

const LARGE_COMMANDS: readonly LargeCommand[] = [
  { id: 'sinter', title: 'SINTER of two sets of 100k', times: 10, command: ['SINTER', 'set1', 'set2'] },
  {
    id: 'zunionstore',
    title: 'ZUNIONSTORE of two sorted sets of 100k',
    times: 5,
    command: ['ZUNIONSTORE', 'out', '2', 'zset1', 'zset2'],
  },
  { id: 'sort', title: 'SORT of 100k', times: 5, command: ['SORT', 'numbers'] },
]

export const typeLargeGroup: Group = {
  id: 'types-large',
  title: 'Large collections',
  note: `Server CPU per command. ZADD goes to one sorted set of ${LARGE_ZSET_ITEMS.toLocaleString('en')} members, half of them new, in pipelines of 16. Of the two sets of ${LARGE_ITEMS.toLocaleString('en')} half of the members are in both.`,
  measurements: [
    { id: 'zadd', title: 'ZADD, 1M members', unit: 'us', isPlotted: true, target: { ratioMax: 0.5 } },
    ...LARGE_COMMANDS.map(({ id, title }) => ({ id, title, unit: 'ms', isPlotted: true, target: { ratioMax: 1 } })),
  ],
  async open(program, settings) {
    const server = await start(program)
    const { port } = server
    const items = Math.ceil(LARGE_ITEMS * settings.scale)
    const largeItems = Math.ceil(LARGE_ZSET_ITEMS * settings.scale)
    await loadCommands(port, items, (index) => ['SADD', 'set1', member(index)])
    await loadCommands(port, items, (index) => ['SADD', 'set2', member(index + (items >> 1))])
    await loadCommands(port, items, (index) => ['ZADD', 'zset1', String((index * 7919) % 100_003), member(index)])
    await loadCommands(port, items, (index) => [
      'ZADD',
      'zset2',
      String((index * 104_729) % 100_003),
      member(index + (items >> 1)),
    ])
    await loadCommands(port, items, (index) => ['RPUSH', 'numbers', String((index * 40_503) % 1_048_576)])
    // As redis-benchmark writes random numbers: twelve digits.
    const large = (index: number): string => `element:${String(index * 2).padStart(12, '0')}`
    await loadCommands(port, largeItems, (index) => [
      'ZADD',
      'large',
      String((index * 40_503) % 1_048_576),
      large(index),
    ])
    const client = await server.connect()
    const zadd: Step = {
      id: 'zadd',
      async run() {
        const requests = Math.ceil(LARGE_ZSET_REQUESTS * settings.scale)
        const before = cpuTimeUs(server.pid)
        await runRedisBenchmark({
          port,
          clients: CLIENTS,
          pipeline: 16,
          requests,
          keyspace: largeItems * 2,
          test: ['ZADD', 'large', RANDOM, `element:${RANDOM}`],
        })
        return { zadd: (cpuTimeUs(server.pid) - before) / requests }
      },
    }
    const stepOf = ({ id, times, command }: LargeCommand): Step => ({
      id,
      async run() {
        // The first time is not counted.
        await client.call(...command)
        const before = cpuTimeUs(server.pid)
        for (let time = 0; time < times; time++) await client.call(...command)
        return { [id]: (cpuTimeUs(server.pid) - before) / times / 1000 }
      },
    })
    return {
      steps: [zadd, ...LARGE_COMMANDS.map(stepOf)],
      close: async () => {
        await client.close()
        await server.stop()
      },
    }
  },
}
