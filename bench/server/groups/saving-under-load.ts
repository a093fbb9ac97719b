/** What saving and rewriting cost while clients write: another client's wait, and memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { GetLatency } from '../get-latency.ts'
import { loadKeys } from '../load-keys.ts'
import { type Group, type Sample, start, VALUE_BYTES } from '../measurement.ts'
import { residentBytes, residentBytesWithChildren } from '../process-cost.ts'

const KEYS = 3_000_000
const WRITERS = 20
/** The load runs for this long before, about as long as a save: what it needs itself is not taken for the save's. */
const LOAD_MS = 10_000
const SAMPLE_MS = 25

export const savingUnderLoadGroup: Group = {
  id: 'saving-under-load',
  title: 'Saving under a write load',
  note: `${WRITERS} clients of redis-benchmark overwrite random keys of ${KEYS.toLocaleString('en')} one after the other (SET, values of ${VALUE_BYTES} bytes), while one more sends GETs and BGSAVE or BGREWRITEAOF runs. Memory is the highest resident during it, with what a child process has of its own, beside the resident a moment before.`,
  measurements: [
    { id: 'bgsaveWorstGet', title: 'Worst GET during BGSAVE', unit: 'ms', target: { ratioMax: 0.25 } },
    { id: 'bgsaveGrowth', title: 'Memory growth during BGSAVE', unit: '%', target: { valueMax: 10 } },
    { id: 'bgsaveSeconds', title: 'BGSAVE', unit: 's' },
    { id: 'rewriteWorstGet', title: 'Worst GET during BGREWRITEAOF', unit: 'ms', target: { ratioMax: 0.25 } },
    { id: 'rewriteGrowth', title: 'Memory growth during BGREWRITEAOF', unit: '%', target: { valueMax: 10 } },
    { id: 'rewriteSeconds', title: 'BGREWRITEAOF', unit: 's' },
    { id: 'worstGetBefore', title: 'Worst GET in the ten seconds before', unit: 'ms' },
  ],
  async open(program, settings) {
    const keys = Math.ceil(KEYS * settings.scale)
    const run = async (): Promise<Sample> => {
      const directives = { appendonly: 'yes', 'auto-aof-rewrite-percentage': '0' }
      await using server = await start(program, directives)
      await loadKeys(server.port, keys, VALUE_BYTES)
      const client = await server.connect()
      const latency = await GetLatency.start(server.port, keys)
      const writers = writeLoad(server.port, keys)
      const during = async (command: string, field: string) => {
        const beforeBytes = residentBytes(server.pid)
        let peakBytes = beforeBytes
        const startMs = performance.now()
        const answer = (await client.call(command)).toString()
        if (!answer.startsWith('+')) throw new Error(`${command} answered ${answer}`)
        do {
          await new Promise((done) => setTimeout(done, SAMPLE_MS))
          peakBytes = Math.max(peakBytes, residentBytesWithChildren(server.pid))
        } while ((await client.call('INFO', 'persistence')).toString().includes(`${field}:1`))
        const seconds = (performance.now() - startMs) / 1000
        const { worstMs } = await latency.endPhase()
        const info = (await client.call('INFO', 'persistence')).toString()
        if (/rdb_last_bgsave_status:err|aof_last_bgrewrite_status:err/.test(info)) throw new Error(`${command} failed`)
        if (writers.exitCode !== null) throw new Error('the write load ended early')
        return { worstMs, seconds, growth: (peakBytes / beforeBytes - 1) * 100 }
      }
      try {
        await latency.endPhase()
        await new Promise((done) => setTimeout(done, LOAD_MS))
        const before = await latency.endPhase()
        const bgsave = await during('BGSAVE', 'rdb_bgsave_in_progress')
        await new Promise((done) => setTimeout(done, LOAD_MS))
        await latency.endPhase()
        const rewrite = await during('BGREWRITEAOF', 'aof_rewrite_in_progress')
        return {
          bgsaveWorstGet: bgsave.worstMs,
          bgsaveGrowth: bgsave.growth,
          bgsaveSeconds: bgsave.seconds,
          rewriteWorstGet: rewrite.worstMs,
          rewriteGrowth: rewrite.growth,
          rewriteSeconds: rewrite.seconds,
          worstGetBefore: before.worstMs,
        }
      } finally {
        const ended = once(writers, 'exit')
        if (writers.kill('SIGKILL')) await ended
        await latency.stop()
        await client.close()
      }
    }
    return { steps: [{ id: 'saveAndRewrite', run }], close: async () => {} }
  },
}

/** SETs without end over the keys that loadKeys has made. */
function writeLoad(port: number, keys: number): ChildProcess {
  const options = { p: port, c: WRITERS, r: keys, d: VALUE_BYTES, n: 2_000_000_000, t: 'set' }
  const args = Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)])
  return spawn('redis-benchmark', ['-h', '127.0.0.1', ...args, '-q'], { stdio: 'ignore' })
}
