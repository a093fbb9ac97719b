/**
 * A cache's client: GET, and SET of what was not there. Keys follow a Zipf distribution from a seed, so every server sees
 * the same trace, and requests are paced, so that it sees it in the same time: the clocks of LRU and LFU are clocks.
 */
import { connect, type Socket } from 'node:net'
import { keyName } from './load-keys.ts'

const BATCH_REQUESTS = 250

/** xorshift32: uniform in 0 .. 1. */
function uniform(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** Numbers below `keys`; number k comes with a probability in proportion to 1 / (k + 1) ** exponent. */
export function zipfTrace(length: number, keys: number, exponent: number, seed: number): Int32Array {
  const cumulative = new Float64Array(keys)
  let sum = 0
  for (let key = 0; key < keys; key++) cumulative[key] = sum += (key + 1) ** -exponent
  const random = uniform(seed)
  return Int32Array.from({ length }, () => {
    const wanted = random() * sum
    let low = 0
    let high = keys - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! > wanted) high = middle
      else low = middle + 1
    }
    return low
  })
}

export interface CacheRun {
  readonly port: number
  readonly trace: Int32Array
  /** The hits of requests before this one are not counted: the cache is filling. */
  readonly countFrom: number
  readonly requestsPerSecond: number
  readonly value: string
}

/** Returns the share of requests that hit. */
export async function runCacheTrace(run: CacheRun): Promise<number> {
  const socket = connect({ port: run.port, host: '127.0.0.1' })
  const hitReply = Buffer.from(`$${run.value.length}\r\n${run.value}\r\n`)
  try {
    const startMs = performance.now()
    let hits = 0
    for (let at = 0; at < run.trace.length; at += BATCH_REQUESTS) {
      const batch = run.trace.subarray(at, at + BATCH_REQUESTS)
      const missed = new Set<number>()
      const isHit = await exchange(
        socket,
        Array.from(batch, (key) => `GET ${keyName(key)}\r\n`),
        hitReply,
      )
      for (let i = 0; i < batch.length; i++) {
        if (!isHit[i]) missed.add(batch[i]!)
        else if (at + i >= run.countFrom) hits++
      }
      if (missed.size > 0) {
        const stored = await exchange(
          socket,
          Array.from(missed, (key) => `SET ${keyName(key)} ${run.value}\r\n`),
          Buffer.from('+OK\r\n'),
        )
        if (stored.includes(false)) throw new Error('the server refused to store')
      }
      const aheadMs = startMs + ((at + batch.length) / run.requestsPerSecond) * 1000 - performance.now()
      if (aheadMs > 1) await new Promise((done) => setTimeout(done, aheadMs))
    }
    return hits / (run.trace.length - run.countFrom)
  } finally {
    socket.destroy()
  }
}

/** Sends inline requests at once; for each, whether its reply was the one given. Any other reply must be one line. */
function exchange(socket: Socket, requests: readonly string[], reply: Buffer): Promise<boolean[]> {
  return new Promise((done, reject) => {
    const answers: boolean[] = []
    let rest: Buffer = Buffer.alloc(0)
    const end = (error: Error | null) => {
      socket.off('data', onData).off('error', end).off('close', onClose)
      if (error !== null) reject(error)
      else done(answers)
    }
    const onClose = () => end(new Error('the server closed the connection'))
    const onData = (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      while (answers.length < requests.length) {
        const compared = Math.min(reply.length, bytes.length - at)
        const isEqual = bytes.compare(reply, 0, compared, at, at + compared) === 0
        const lineEnd = bytes.indexOf('\n', at)
        if (isEqual ? compared < reply.length : lineEnd < 0) break
        answers.push(isEqual)
        at = isEqual ? at + reply.length : lineEnd + 1
      }
      rest = bytes.subarray(at)
      if (answers.length === requests.length) end(null)
    }
    socket.on('data', onData).on('error', end).on('close', onClose)
    socket.write(requests.join(''), 'latin1')
  })
}
