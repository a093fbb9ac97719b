/**
 * What is measured, declared: groups of measurements, each with a unit and, where there is one, the target for the ratio
 * o7 / redis. A group opens a bench for each server (its own process, its own data), and steps are then sampled on both
 * in turn. A new row of the report is a new entry here.
 */
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type RedisProcess, startServer } from '../../test/support/redis-process.ts'
import { loadKeys } from './load-keys.ts'
import { cpuTimeUs, residentBytes } from './process-cost.ts'
import { runRedisBenchmark } from './redis-benchmark.ts'

export interface Target {
  /** Bounds of the ratio o7 / redis. */
  readonly ratioMax?: number
  readonly ratioMin?: number
  /** A bound of our own figure, in the unit of the measurement. */
  readonly valueMax?: number
}

export interface Measurement {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly target?: Target
  /** Whether it stands in the plot beside those with a target. */
  readonly isPlotted?: boolean
}

/** Figures of one sample by measurement id. */
export type Sample = Readonly<Record<string, number>>

export interface Step {
  readonly id: string
  run(): Promise<Sample>
}

export interface Bench {
  readonly steps: readonly Step[]
  close(): Promise<void>
}

export interface BenchSettings {
  /** Factor for the numbers of requests and of keys: 1 for a report, less for a quick look. */
  readonly scale: number
  readonly requests: number | null
}

export interface Group {
  readonly id: string
  readonly title: string
  readonly note: string
  readonly measurements: readonly Measurement[]
  open(program: string, settings: BenchSettings): Promise<Bench>
}

const CLIENTS = 50
const KEYSPACE = 100_000
const VALUE_BYTES = 64

interface CommandTest {
  readonly name: string
  /** The test's name for redis-benchmark's -t. */
  readonly test: string
}

const COMMANDS: readonly CommandTest[] = [
  { name: 'SET', test: 'set' },
  { name: 'GET', test: 'get' },
  { name: 'INCR', test: 'incr' },
  { name: 'MSET', test: 'mset' },
  { name: 'PING', test: 'ping_mbulk' },
]

/** Requests per sample, chosen so that a sample takes a few seconds at each depth. MSET sets ten keys per command. */
const REQUESTS: Readonly<Record<number, number>> = { 1: 200_000, 16: 1_000_000, 64: 2_000_000 }
const MSET_SHARE = 0.2

function start(program: string, directives: Record<string, string> = {}, dir?: string): Promise<RedisProcess> {
  return startServer({
    server: program,
    directives: { save: '', appendonly: 'no', ...directives },
    ...(dir ? { dir } : {}),
  })
}

function throughputGroup(pipeline: number, cpuRatioMax: number): Group {
  const measurements = COMMANDS.flatMap(({ name }): Measurement[] => {
    const isTarget = name === 'SET' || name === 'GET'
    return [
      {
        id: `${name}.cpu`,
        title: `${name} P=${pipeline}: CPU per command`,
        unit: 'us',
        isPlotted: true,
        ...(isTarget ? { target: { ratioMax: cpuRatioMax } } : {}),
      },
      { id: `${name}.throughput`, title: `${name} P=${pipeline}: throughput`, unit: 'commands/s' },
      { id: `${name}.p50`, title: `${name} P=${pipeline}: p50`, unit: 'ms' },
      { id: `${name}.p99`, title: `${name} P=${pipeline}: p99`, unit: 'ms' },
      { id: `${name}.p999`, title: `${name} P=${pipeline}: p99.9`, unit: 'ms' },
    ]
  })
  return {
    id: `p${pipeline}`,
    title: `Commands, ${CLIENTS} clients, ${pipeline === 1 ? 'no pipelining' : `pipelines of ${pipeline}`}`,
    note: `redis-benchmark -c ${CLIENTS} -P ${pipeline} -r ${KEYSPACE}. CPU is user and system time of the server's process, all threads. MSET sets ten keys.`,
    measurements,
    async open(program, settings) {
      const server = await start(program)
      const sample = async ({ name, test }: CommandTest, share: number): Promise<Sample> => {
        const share10 = name === 'MSET' ? MSET_SHARE : 1
        const requests = Math.ceil((settings.requests ?? REQUESTS[pipeline]! * settings.scale) * share * share10)
        const before = cpuTimeUs(server.pid)
        const report = await runRedisBenchmark({
          port: server.port,
          clients: CLIENTS,
          pipeline,
          requests,
          keyspace: KEYSPACE,
          test,
        })
        return {
          [`${name}.cpu`]: (cpuTimeUs(server.pid) - before) / requests,
          [`${name}.throughput`]: report.requestsPerSecond,
          [`${name}.p50`]: report.p50Ms,
          [`${name}.p99`]: report.p99Ms,
          [`${name}.p999`]: report.p999Ms,
        }
      }
      // Not counted: fills the keyspace, so that GET finds its keys, and lets the JIT compile the path.
      for (const command of COMMANDS) await sample(command, 0.5)
      return {
        steps: COMMANDS.map((command) => ({ id: command.name, run: () => sample(command, 1) })),
        close: async () => void (await server.stop()),
      }
    },
  }
}

/** Resident memory when it has stopped moving: what a loading server frees a moment later is not counted. */
async function settledResidentBytes(pid: number): Promise<number> {
  let held = residentBytes(pid)
  for (let unchanged = 0; unchanged < 4; ) {
    await new Promise((done) => setTimeout(done, 250))
    const now = residentBytes(pid)
    unchanged = Math.abs(now - held) < 256 * 1024 ? unchanged + 1 : 0
    held = now
  }
  return held
}

const MEMORY_KEYS = 1_000_000

const memoryGroup: Group = {
  id: 'memory',
  title: 'Memory',
  note: `${MEMORY_KEYS.toLocaleString('en')} keys of 16 bytes with values of ${VALUE_BYTES} bytes: resident memory with them less that of the empty server.`,
  measurements: [{ id: 'bytesPerKey', title: 'Bytes per key', unit: 'bytes', target: { ratioMax: 0.65 } }],
  async open(program, settings) {
    const keys = Math.ceil(MEMORY_KEYS * settings.scale)
    const run = async (): Promise<Sample> => {
      await using server = await start(program)
      const before = await settledResidentBytes(server.pid)
      await loadKeys(server.port, keys, VALUE_BYTES)
      return { bytesPerKey: ((await settledResidentBytes(server.pid)) - before) / keys }
    }
    return { steps: [{ id: 'fill', run }], close: async () => {} }
  },
}

const rdbGroup: Group = {
  id: 'rdb',
  title: 'RDB',
  note: `${MEMORY_KEYS.toLocaleString('en')} keys as above. Save is the duration of SAVE; load is the start of the server with the file less its start without.`,
  measurements: [
    { id: 'saveSeconds', title: 'SAVE', unit: 's', isPlotted: true },
    { id: 'loadSeconds', title: 'Load at start', unit: 's' },
    { id: 'loadKeysPerSecond', title: 'Load at start', unit: 'keys/s', target: { ratioMin: 1.0 } },
    { id: 'fileBytesPerKey', title: 'File size', unit: 'bytes/key' },
  ],
  async open(program, settings) {
    const keys = Math.ceil(MEMORY_KEYS * settings.scale)
    const run = async (): Promise<Sample> => {
      const emptyStartMs = performance.now()
      const server = await start(program)
      const emptySeconds = (performance.now() - emptyStartMs) / 1000
      try {
        await loadKeys(server.port, keys, VALUE_BYTES)
        const client = await server.connect()
        const saveStartMs = performance.now()
        const saved = (await client.call('SAVE')).toString()
        const saveSeconds = (performance.now() - saveStartMs) / 1000
        if (saved !== '+OK\r\n') throw new Error(`SAVE answered ${saved}`)
        await client.close()
        const fileBytes = statSync(join(server.dir, 'dump.rdb')).size

        const loadStartMs = performance.now()
        await using second = await start(program, {}, server.dir)
        const loadSeconds = Math.max(0.001, (performance.now() - loadStartMs) / 1000 - emptySeconds)
        const counter = await second.connect()
        const found = await counter.query('DBSIZE')
        if (found !== keys) throw new Error(`${found} keys after loading ${keys}`)
        await counter.close()
        return { saveSeconds, loadSeconds, loadKeysPerSecond: keys / loadSeconds, fileBytesPerKey: fileBytes / keys }
      } finally {
        await server.stop()
      }
    }
    return { steps: [{ id: 'saveAndLoad', run }], close: async () => {} }
  },
}

const BGSAVE_KEYS = 3_000_000
const IDLE_MS = 2000

interface LatencyPhase {
  readonly worstMs: number
  readonly count: number
  readonly p50Ms: number
}

const bgsaveGroup: Group = {
  id: 'bgsave',
  title: 'Latency while saving',
  note: `One client sends GET after GET while BGSAVE writes ${BGSAVE_KEYS.toLocaleString('en')} keys; the client is a process of its own. Beside it the worst GET of the ${IDLE_MS / 1000} s before, with nothing else to do: what the machine and the client themselves add.`,
  measurements: [
    { id: 'worstGet', title: 'Worst GET during BGSAVE', unit: 'ms', target: { ratioMax: 0.25, valueMax: 10 } },
    { id: 'medianGet', title: 'Median GET during BGSAVE', unit: 'ms' },
    { id: 'worstIdleGet', title: 'Worst GET before', unit: 'ms' },
    { id: 'bgsaveSeconds', title: 'BGSAVE', unit: 's' },
  ],
  async open(program, settings) {
    const keys = Math.ceil(BGSAVE_KEYS * settings.scale)
    const server = await start(program)
    await loadKeys(server.port, keys, VALUE_BYTES)
    const run = async (): Promise<Sample> => {
      const script = join(process.cwd(), 'scripts/run-ts.mjs')
      const file = join(process.cwd(), 'bench/server/get-latency-client.ts')
      const child = spawn(process.execPath, [script, file, String(server.port), String(keys)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      const endPhase = async (): Promise<LatencyPhase> => {
        child.stdin.write('\n')
        const { value, done } = await lines.next()
        if (done) throw new Error('the latency client ended early')
        return JSON.parse(value) as LatencyPhase
      }
      const client = await server.connect()
      try {
        // The first phase is the client's own warm-up.
        await new Promise((done) => setTimeout(done, 1000))
        await endPhase()
        await new Promise((done) => setTimeout(done, IDLE_MS))
        const idle = await endPhase()
        const startMs = performance.now()
        const answer = (await client.call('BGSAVE')).toString()
        if (answer !== '+Background saving started\r\n') throw new Error(`BGSAVE answered ${answer}`)
        while (/rdb_bgsave_in_progress:1/.test((await client.call('INFO', 'persistence')).toString())) {
          await new Promise((done) => setTimeout(done, 20))
        }
        const bgsaveSeconds = (performance.now() - startMs) / 1000
        const info = (await client.call('INFO', 'persistence')).toString()
        if (!info.includes('rdb_last_bgsave_status:ok')) throw new Error('BGSAVE failed')
        const during = await endPhase()
        if (during.count === 0) throw new Error('no GET was answered during BGSAVE')
        return { worstGet: during.worstMs, medianGet: during.p50Ms, worstIdleGet: idle.worstMs, bgsaveSeconds }
      } finally {
        // The client ends with its standard input.
        const ended = new Promise((done) => child.once('exit', done))
        child.stdin.end()
        await client.close()
        if (child.exitCode === null && child.signalCode === null) await ended
      }
    }
    return { steps: [{ id: 'bgsave', run }], close: async () => void (await server.stop()) }
  },
}

export const GROUPS: readonly Group[] = [
  throughputGroup(1, 1.1),
  throughputGroup(16, 0.9),
  throughputGroup(64, 0.7),
  memoryGroup,
  rdbGroup,
  bgsaveGroup,
]
