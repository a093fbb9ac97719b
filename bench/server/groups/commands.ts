/** CPU, throughput and latency of small commands at three depths of pipelining. */
import { CLIENTS, type Group, KEYSPACE, type Measurement, type Sample, start } from '../measurement.ts'
import { cpuTimeUs } from '../process-cost.ts'
import { runRedisBenchmark } from '../redis-benchmark.ts'

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

export function throughputGroup(pipeline: number, cpuRatioMax: number): Group {
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
