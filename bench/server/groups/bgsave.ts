/** How long one client waits while others' data is saved. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { loadKeys } from '../load-keys.ts'
import { type Group, type Sample, start, VALUE_BYTES } from '../measurement.ts'

const BGSAVE_KEYS = 3_000_000
const IDLE_MS = 2000

interface LatencyPhase {
  readonly worstMs: number
  readonly count: number
  readonly p50Ms: number
}

export const bgsaveGroup: Group = {
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
