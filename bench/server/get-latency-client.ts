/**
 * One client that sends one GET after the other and notes the worst latency; a process of its own, so that nothing of the
 * benchmark's stands in its way. Arguments: port, number of keys. Says "ready" when it begins. Each line on standard input ends
 * a phase: the client prints the worst latency (ms), the number of GETs, the median and higher percentiles of that phase as
 * JSON and begins the next. A GET under way while it does so waits for the client itself and is not counted. Its own garbage
 * collection must not be taken for the server's latency either: see the options in get-latency.ts.
 */
import { connect } from 'node:net'
import { keyName } from './load-keys.ts'

const port = Number(process.argv[2])
const keyCount = Number(process.argv[3])
/** Different keys that are asked for, drawn from all over the keyspace. */
const REQUESTS = 1024
/** Latencies up to 100 ms in steps of 1 us, for the median; the worst is kept apart. */
const HISTOGRAM_BUCKETS = 100_000

const requests: Buffer[] = []
for (let index = 0; index < REQUESTS; index++) {
  requests.push(Buffer.from(`*2\r\n$3\r\nGET\r\n$16\r\n${keyName(Math.floor((index * keyCount) / REQUESTS))}\r\n`))
}
const histogram = new Uint32Array(HISTOGRAM_BUCKETS)
let worstMs = 0
let count = 0
let next = 0
let sentAtMs = 0
let expectedBytes = 0
let receivedBytes = 0
/** The client was busy with a report while the GET was under way. */
let isDisturbed = false

function send(): void {
  next = (next + 1) % REQUESTS
  receivedBytes = 0
  sentAtMs = performance.now()
  socket.write(requests[next]!)
}

function receive(bytes: number, buffer: Uint8Array): boolean {
  if (receivedBytes === 0) {
    if (buffer[0] !== 0x24 || buffer[1] === 0x2d)
      throw new Error(`GET answered ${Buffer.from(buffer).toString('latin1', 0, Math.min(bytes, 80))}`)
    let at = 1
    let size = 0
    while (buffer[at] !== 0x0d) size = size * 10 + buffer[at++]! - 0x30
    expectedBytes = at + 2 + size + 2
  }
  receivedBytes += bytes
  if (receivedBytes < expectedBytes) return true
  if (isDisturbed) {
    isDisturbed = false
    send()
    return true
  }
  const tookMs = performance.now() - sentAtMs
  if (tookMs > worstMs) worstMs = tookMs
  const bucket = Math.floor(tookMs * 1000)
  histogram[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]!++
  count++
  send()
  return true
}

function percentileMs(share: number): number {
  let below = 0
  let bucket = 0
  while (bucket < HISTOGRAM_BUCKETS && (below += histogram[bucket]!) < count * share) bucket++
  return bucket / 1000
}

const socket = connect({
  port,
  host: '127.0.0.1',
  noDelay: true,
  onread: { buffer: Buffer.alloc(65_536), callback: receive },
})
socket.once('connect', () => {
  process.stdout.write('ready\n')
  send()
})

process.stdin.on('data', (chunk: Buffer) => {
  for (const byte of chunk) {
    if (byte !== 0x0a) continue
    const phase = { worstMs, count, p50Ms: percentileMs(0.5), p99Ms: percentileMs(0.99), p999Ms: percentileMs(0.999) }
    process.stdout.write(`${JSON.stringify(phase)}\n`)
    isDisturbed = true
    histogram.fill(0)
    worstMs = 0
    count = 0
  }
})
process.stdin.once('end', () => process.exit(0))
