/** Append-only files: what recording costs, group commit, loading, and waiting while they are rewritten. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RespClient } from '../../../test/support/resp-client.ts'
import { GetLatency } from '../get-latency.ts'
import { loadKeys } from '../load-keys.ts'
import { CLIENTS, type Group, KEYSPACE, MEMORY_KEYS, type Sample, start, VALUE_BYTES } from '../measurement.ts'
import { cpuTimeUs } from '../process-cost.ts'
import { runRedisBenchmark } from '../redis-benchmark.ts'

const EVERYSEC_REQUESTS = 1_000_000
const ALWAYS_REQUESTS = 150_000
/** Not counted: lets the JIT compile the path. */
const ALWAYS_WARM_UP_REQUESTS = 100_000
const PIPELINE = 16
/** About as long as a rewrite. */
const IDLE_MS = 2000

export const appendOnlyGroup: Group = {
  id: 'append-only',
  title: 'Append-only files',
  note: `SET by redis-benchmark -c ${CLIENTS}, with everysec in pipelines of ${PIPELINE}. CPU is that of all threads of the server. Load is the start with the increment of ${MEMORY_KEYS.toLocaleString('en')} keys, less the start without; the worst GET that of a client of its own while their BGREWRITEAOF runs, and in the ${IDLE_MS / 1000} s before, with nothing else to do.`,
  measurements: [
    { id: 'everysecCpu', title: `SET P=${PIPELINE}, everysec: CPU`, unit: 'us', target: { ratioMax: 0.95 } },
    { id: 'alwaysThroughput', title: 'SET P=1, always: throughput', unit: 'commands/s', target: { ratioMin: 1.0 } },
    { id: 'alwaysP99', title: 'SET P=1, always: p99', unit: 'ms' },
    { id: 'loadKeysPerSecond', title: 'Load at start', unit: 'keys/s', target: { ratioMin: 1.0 } },
    { id: 'worstGet', title: 'Worst GET during BGREWRITEAOF', unit: 'ms', target: { ratioMax: 0.25 } },
    { id: 'worstIdleGet', title: 'Worst GET before', unit: 'ms' },
    { id: 'rewriteSeconds', title: 'BGREWRITEAOF', unit: 's' },
  ],
  async open(program, settings) {
    const keys = Math.ceil(MEMORY_KEYS * settings.scale)
    const recording = async (): Promise<Sample> => {
      await using everysec = await start(program, { appendonly: 'yes' })
      const requests = Math.ceil(EVERYSEC_REQUESTS * settings.scale)
      const options = { clients: CLIENTS, keyspace: KEYSPACE, test: 'set' }
      await runRedisBenchmark({ ...options, port: everysec.port, pipeline: PIPELINE, requests: requests / 4 })
      const before = cpuTimeUs(everysec.pid)
      await runRedisBenchmark({ ...options, port: everysec.port, pipeline: PIPELINE, requests })
      const everysecCpu = (cpuTimeUs(everysec.pid) - before) / requests
      await using always = await start(program, { appendonly: 'yes', appendfsync: 'always' })
      const writing = (count: number) =>
        runRedisBenchmark({ ...options, port: always.port, pipeline: 1, requests: Math.ceil(count * settings.scale) })
      await writing(ALWAYS_WARM_UP_REQUESTS)
      const report = await writing(ALWAYS_REQUESTS)
      return { everysecCpu, alwaysThroughput: report.requestsPerSecond, alwaysP99: report.p99Ms }
    }
    const loading = async (): Promise<Sample> => {
      const directives = { appendonly: 'yes', 'auto-aof-rewrite-percentage': '0' }
      // The files have one owner at a time, so they stay when the server that wrote them ends.
      const dir = mkdtempSync(join(tmpdir(), 'o7-bench-'))
      try {
        const emptyStartMs = performance.now()
        const writer = await start(program, directives, dir)
        const emptySeconds = (performance.now() - emptyStartMs) / 1000
        try {
          await loadKeys(writer.port, keys, VALUE_BYTES)
        } finally {
          await writer.stop()
        }
        const loadStartMs = performance.now()
        await using second = await start(program, directives, dir)
        const loadSeconds = Math.max(0.001, (performance.now() - loadStartMs) / 1000 - emptySeconds)
        return { loadKeysPerSecond: keys / loadSeconds, ...(await rewriting(second.port, keys)) }
      } finally {
        rmSync(dir, { recursive: true, force: true })
      }
    }
    return {
      steps: [
        { id: 'recording', run: recording },
        { id: 'loading', run: loading },
      ],
      close: async () => {},
    }
  },
}

async function rewriting(port: number, keys: number): Promise<Sample> {
  const latency = await GetLatency.start(port, keys)
  const client = await RespClient.connect({ port })
  try {
    await latency.endPhase()
    await new Promise((done) => setTimeout(done, IDLE_MS))
    const worstIdleGet = (await latency.endPhase()).worstMs
    const startMs = performance.now()
    const answer = (await client.call('BGREWRITEAOF')).toString()
    if (!answer.startsWith('+')) throw new Error(`BGREWRITEAOF answered ${answer}`)
    while (/aof_rewrite_in_progress:1/.test((await client.call('INFO', 'persistence')).toString())) {
      await new Promise((done) => setTimeout(done, 20))
    }
    const rewriteSeconds = (performance.now() - startMs) / 1000
    return { worstGet: (await latency.endPhase()).worstMs, worstIdleGet, rewriteSeconds }
  } finally {
    await latency.stop()
    await client.close()
  }
}
