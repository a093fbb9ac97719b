/** What replication costs: a replica attached, a full synchronization on both sides, and a client's wait during one. */
import type { RedisProcess } from '../../../test/support/redis-process.ts'
import { GetLatency } from '../get-latency.ts'
import { loadKeys } from '../load-keys.ts'
import { CLIENTS, type Group, KEYSPACE, MEMORY_KEYS, type Sample, start, VALUE_BYTES } from '../measurement.ts'
import { cpuTimeUs } from '../process-cost.ts'
import { runRedisBenchmark } from '../redis-benchmark.ts'

const PIPELINE = 16
const REQUESTS = 1_000_000
const LATENCY_KEYS = 3_000_000
const IDLE_MS = 2000
/** The other side of each link is redis-server, so that one side differs between the two columns and no more. */
const PARTNER = 'redis'
const NO_DELAY = { 'repl-diskless-sync-delay': '0' }

function follow(program: string, master: RedisProcess): Promise<RedisProcess> {
  return start(program, { replicaof: `127.0.0.1 ${master.port}` })
}

async function untilInSync(replica: RedisProcess): Promise<void> {
  const client = await replica.connect()
  while (!/master_link_status:up/.test((await client.call('INFO', 'replication')).toString())) {
    await new Promise((done) => setTimeout(done, 10))
  }
  await client.close()
}

/** Seconds from REPLICAOF to the link that is up. */
async function syncSeconds(master: RedisProcess, replicaProgram: string, keys: number): Promise<number> {
  const replica = await start(replicaProgram)
  try {
    const client = await replica.connect()
    const startMs = performance.now()
    await client.call('REPLICAOF', '127.0.0.1', master.port)
    await untilInSync(replica)
    const seconds = (performance.now() - startMs) / 1000
    const found = await client.query('DBSIZE')
    if (found !== keys) throw new Error(`${found} keys after a synchronization of ${keys}`)
    await client.close()
    return seconds
  } finally {
    await replica.stop()
  }
}

export const replicationGroup: Group = {
  id: 'replication',
  title: 'Replication',
  note: `CPU of the master per SET at pipelines of ${PIPELINE} while a redis-server follows. A full synchronization of ${MEMORY_KEYS.toLocaleString('en')} keys from REPLICAOF to the link that is up, with this server as the master of a redis-server and as its replica. And the worst GET of another client while ${LATENCY_KEYS.toLocaleString('en')} keys go to a new replica.`,
  measurements: [
    {
      id: 'setCpu',
      title: 'SET P=16 with a replica: CPU of the master',
      unit: 'us',
      target: { ratioMax: 0.95 },
      isPlotted: true,
    },
    { id: 'masterSyncSeconds', title: 'Full sync, as master', unit: 's', target: { ratioMax: 1.0 } },
    { id: 'replicaSyncSeconds', title: 'Full sync, as replica', unit: 's', target: { ratioMax: 1.0 } },
    { id: 'worstGet', title: 'Worst GET during a full sync', unit: 'ms', target: { ratioMax: 0.25 } },
    { id: 'worstIdleGet', title: 'Worst GET before', unit: 'ms' },
  ],
  async open(program, settings) {
    const setCpu = async (): Promise<Sample> => {
      const requests = Math.ceil(settings.requests ?? REQUESTS * settings.scale)
      const master = await start(program, NO_DELAY)
      const replica = await follow(PARTNER, master)
      try {
        await untilInSync(replica)
        const run = (count: number) =>
          runRedisBenchmark({
            port: master.port,
            clients: CLIENTS,
            pipeline: PIPELINE,
            requests: count,
            keyspace: KEYSPACE,
            test: 'set',
          })
        await run(Math.ceil(requests / 2))
        const before = cpuTimeUs(master.pid)
        await run(requests)
        return { setCpu: (cpuTimeUs(master.pid) - before) / requests }
      } finally {
        await replica.stop()
        await master.stop()
      }
    }
    const fullSync = async (): Promise<Sample> => {
      const keys = Math.ceil(MEMORY_KEYS * settings.scale)
      const masterOf = async (masterProgram: string, replicaProgram: string) => {
        const master = await start(masterProgram, NO_DELAY)
        try {
          await loadKeys(master.port, keys, VALUE_BYTES)
          return await syncSeconds(master, replicaProgram, keys)
        } finally {
          await master.stop()
        }
      }
      return {
        masterSyncSeconds: await masterOf(program, PARTNER),
        replicaSyncSeconds: await masterOf(PARTNER, program),
      }
    }
    const worstGet = async (): Promise<Sample> => {
      const keys = Math.ceil(LATENCY_KEYS * settings.scale)
      const master = await start(program, NO_DELAY)
      try {
        await loadKeys(master.port, keys, VALUE_BYTES)
        const latency = await GetLatency.start(master.port, keys)
        try {
          await latency.endPhase()
          await new Promise((done) => setTimeout(done, IDLE_MS))
          const idle = await latency.endPhase()
          await syncSeconds(master, PARTNER, keys)
          const during = await latency.endPhase()
          return { worstGet: during.worstMs, worstIdleGet: idle.worstMs }
        } finally {
          await latency.stop()
        }
      } finally {
        await master.stop()
      }
    }
    return {
      steps: [
        { id: 'set', run: setCpu },
        { id: 'sync', run: fullSync },
        { id: 'latency', run: worstGet },
      ],
      close: async () => {},
    }
  },
}
