/** How well eviction chooses: the hit rate of a cache under maxmemory. */
import { runCacheTrace, zipfTrace } from '../cache-client.ts'
import { loadKeys } from '../load-keys.ts'
import { type Group, type Sample, start, VALUE_BYTES } from '../measurement.ts'

const TRACE_KEYS = 1_000_000
const EXPONENT = 0.9
const REQUESTS = 400_000
/** Slow enough for the clock of LRU, whose unit is a second: a key stays for several. */
const REQUESTS_PER_SECOND = 40_000
const SEED = 20_230_116
/** Keys held in the comparison by keys. */
const HELD_KEYS = 100_000
/** What maxmemory allows beyond the empty server in the comparison by bytes. */
const HELD_BYTES = 14 * 1024 * 1024

type Policy = 'allkeys-lru' | 'allkeys-lfu'

export const evictionGroup: Group = {
  id: 'eviction',
  title: 'Eviction',
  note: `A cache's client reads ${REQUESTS.toLocaleString('en')} keys of ${TRACE_KEYS.toLocaleString('en')}, Zipf-distributed with exponent ${EXPONENT} from a fixed seed, at ${REQUESTS_PER_SECOND.toLocaleString('en')} a second, and stores those it misses, values of ${VALUE_BYTES} bytes; the second half is counted. "In equal memory": maxmemory is what each server uses when empty and ${HELD_BYTES / 1024 / 1024} MiB, as one who compares servers on one machine would set it. "With equal keys": maxmemory is what each uses with ${HELD_KEYS.toLocaleString('en')} keys, which compares the choice of keys alone.`,
  measurements: [
    { id: 'lruByBytes', title: 'Hit rate in equal memory, allkeys-lru', unit: '%', target: { ratioMin: 0.99 } },
    { id: 'lfuByBytes', title: 'Hit rate in equal memory, allkeys-lfu', unit: '%', target: { ratioMin: 0.99 } },
    { id: 'lruByKeys', title: 'Hit rate with equal keys, allkeys-lru', unit: '%', target: { ratioMin: 0.99 } },
    { id: 'lfuByKeys', title: 'Hit rate with equal keys, allkeys-lfu', unit: '%', target: { ratioMin: 0.99 } },
    { id: 'keysByBytes', title: 'Keys held in equal memory', unit: 'keys' },
    { id: 'keysByKeys', title: 'Keys held with equal keys', unit: 'keys' },
  ],
  async open(program, settings) {
    const scaled = (count: number) => Math.ceil(count * settings.scale)
    const trace = zipfTrace(scaled(REQUESTS), scaled(TRACE_KEYS), EXPONENT, SEED)
    const measure = async (policy: Policy, isByKeys: boolean): Promise<{ hitPercent: number; keys: number }> => {
      await using server = await start(program, { 'maxmemory-policy': policy })
      const client = await server.connect()
      const call = async (...args: string[]) => (await client.call(...args)).toString()
      const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await call('INFO', 'memory'))![1])
      try {
        if (isByKeys) await loadKeys(server.port, scaled(HELD_KEYS), VALUE_BYTES)
        const maxmemory = (await usedBytes()) + (isByKeys ? 0 : scaled(HELD_BYTES))
        await call('FLUSHALL', 'SYNC')
        const answer = await call('CONFIG', 'SET', 'maxmemory', String(maxmemory))
        if (answer !== '+OK\r\n') throw new Error(`CONFIG SET answered ${answer}`)
        const hitRate = await runCacheTrace({
          port: server.port,
          trace,
          countFrom: trace.length >> 1,
          requestsPerSecond: REQUESTS_PER_SECOND,
          value: 'v'.repeat(VALUE_BYTES),
        })
        const evicted = Number(/evicted_keys:(\d+)/.exec(await call('INFO', 'stats'))![1])
        if (evicted === 0) throw new Error('nothing was evicted')
        return { hitPercent: hitRate * 100, keys: Number((await call('DBSIZE')).slice(1)) }
      } finally {
        await client.close()
      }
    }
    const run = async (): Promise<Sample> => {
      const lruByBytes = await measure('allkeys-lru', false)
      const lfuByBytes = await measure('allkeys-lfu', false)
      const lruByKeys = await measure('allkeys-lru', true)
      const lfuByKeys = await measure('allkeys-lfu', true)
      return {
        lruByBytes: lruByBytes.hitPercent,
        lfuByBytes: lfuByBytes.hitPercent,
        lruByKeys: lruByKeys.hitPercent,
        lfuByKeys: lfuByKeys.hitPercent,
        keysByBytes: lruByBytes.keys,
        keysByKeys: lruByKeys.keys,
      }
    }
    return { steps: [{ id: 'traces', run }], close: async () => {} }
  },
}
