/**
 * Fills a server with keys over one pipelined connection: 16-byte keys, values of the size asked for. The values are
 * pieces of one pool of pseudo-random text at changing offsets, so that compression finds nothing in them.
 */
import { connect } from 'node:net'

const BATCH_COMMANDS = 1000
/** Batches sent and not yet answered: enough to keep the server busy, little enough to bound its output buffer. */
const BATCHES_IN_FLIGHT = 8
const POOL_BYTES = 1 << 16
const OK_BYTES = '+OK\r\n'.length

/** key:000000000042: the form that redis-benchmark uses too. */
export function keyName(index: number): string {
  return `key:${String(index).padStart(12, '0')}`
}

function makePool(): Buffer {
  const letters = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
  const pool = Buffer.alloc(POOL_BYTES)
  let state = 0x2545f491
  for (let index = 0; index < POOL_BYTES; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    pool[index] = letters[state & 63]!
  }
  return pool
}

export function loadKeys(port: number, keyCount: number, valueBytes: number): Promise<void> {
  const pool = makePool()
  return new Promise((done, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let sent = 0
    let answeredBytes = 0
    const sendBatches = () => {
      while (sent < keyCount && sent - answeredBytes / OK_BYTES < BATCH_COMMANDS * BATCHES_IN_FLIGHT) {
        const parts: string[] = []
        const until = Math.min(keyCount, sent + BATCH_COMMANDS)
        for (; sent < until; sent++) {
          const offset = (sent * 67) % (POOL_BYTES - valueBytes)
          const value = pool.toString('latin1', offset, offset + valueBytes)
          parts.push(`*3\r\n$3\r\nSET\r\n$16\r\n${keyName(sent)}\r\n$${valueBytes}\r\n${value}\r\n`)
        }
        socket.write(parts.join(''), 'latin1')
      }
    }
    socket.once('error', reject)
    socket.once('close', () => {
      if (answeredBytes === keyCount * OK_BYTES) done()
      else reject(new Error(`the server closed the connection after ${answeredBytes / OK_BYTES} of ${keyCount} keys`))
    })
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('-')) {
        socket.destroy(new Error(`the server refused to load: ${chunk.toString('latin1').slice(0, 200)}`))
        return
      }
      answeredBytes += chunk.length
      if (answeredBytes === keyCount * OK_BYTES) socket.end()
      else sendBatches()
    })
    sendBatches()
  })
}
