/** How long one client waits while others' data is saved. */
import { GetLatency } from '../get-latency.ts'
import { loadKeys } from '../load-keys.ts'
import { type Group, type Sample, start, VALUE_BYTES } from '../measurement.ts'

const BGSAVE_KEYS = 3_000_000
/** About as long as a save, so that the worst of both can be compared. */
const IDLE_MS = 6000

export const bgsaveGroup: Group = {
  id: 'bgsave',
  title: 'Latency while saving',
  note: `One client sends GET after GET while BGSAVE writes ${BGSAVE_KEYS.toLocaleString('en')} keys; the client is a process of its own. Beside it the worst GET of the ${IDLE_MS / 1000} s before, with nothing else to do: what the machine and the client themselves add.`,
  measurements: [
    { id: 'worstGet', title: 'Worst GET during BGSAVE', unit: 'ms', target: { ratioMax: 0.25, valueMax: 10 } },
    { id: 'medianGet', title: 'Median GET during BGSAVE', unit: 'ms' },
    { id: 'p999Get', title: 'p99.9 of GET during BGSAVE', unit: 'ms' },
    { id: 'worstIdleGet', title: 'Worst GET before', unit: 'ms' },
    { id: 'bgsaveSeconds', title: 'BGSAVE', unit: 's' },
  ],
  async open(program, settings) {
    const keys = Math.ceil(BGSAVE_KEYS * settings.scale)
    const server = await start(program)
    await loadKeys(server.port, keys, VALUE_BYTES)
    const run = async (): Promise<Sample> => {
      const latency = await GetLatency.start(server.port, keys)
      const client = await server.connect()
      try {
        await latency.endPhase()
        await new Promise((done) => setTimeout(done, IDLE_MS))
        const idle = await latency.endPhase()
        const startMs = performance.now()
        const answer = (await client.call('BGSAVE')).toString()
        if (answer !== '+Background saving started\r\n') throw new Error(`BGSAVE answered ${answer}`)
        while (/rdb_bgsave_in_progress:1/.test((await client.call('INFO', 'persistence')).toString())) {
          await new Promise((done) => setTimeout(done, 20))
        }
        const bgsaveSeconds = (performance.now() - startMs) / 1000
        const info = (await client.call('INFO', 'persistence')).toString()
        if (!info.includes('rdb_last_bgsave_status:ok')) throw new Error('BGSAVE failed')
        const during = await latency.endPhase()
        return {
          worstGet: during.worstMs,
          medianGet: during.p50Ms,
          p999Get: during.p999Ms,
          worstIdleGet: idle.worstMs,
          bgsaveSeconds,
        }
      } finally {
        await latency.stop()
        await client.close()
      }
    }
    return { steps: [{ id: 'bgsave', run }], close: async () => void (await server.stop()) }
  },
}
