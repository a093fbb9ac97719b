/**
 * Fills a server over one pipelined connection. The values of keys are pieces of one pool of pseudo-random text at
 * changing offsets, so that compression finds nothing in them.
 */
import { connect } from 'node:net'

const BATCH_COMMANDS = 1000
/** Batches sent and not yet answered: enough to keep the server busy, little enough to bound its output buffer. */
const BATCHES_IN_FLIGHT = 8
const POOL_BYTES = 1 << 16
const LINE_END = 10

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

/** Keys of 16 bytes with values of the size asked for. */
export function loadKeys(port: number, keyCount: number, valueBytes: number): Promise<void> {
  const pool = makePool()
  return loadCommands(port, keyCount, (index) => {
    const offset = (index * 67) % (POOL_BYTES - valueBytes)
    return ['SET', keyName(index), pool.toString('latin1', offset, offset + valueBytes)]
  })
}

/** Any commands whose replies are one line each. ASCII arguments. */
export function loadCommands(
  port: number,
  count: number,
  commandAt: (index: number) => readonly string[],
): Promise<void> {
  return new Promise((done, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let sent = 0
    let answered = 0
    const sendBatches = () => {
      while (sent < count && sent - answered < BATCH_COMMANDS * BATCHES_IN_FLIGHT) {
        const parts: string[] = []
        const until = Math.min(count, sent + BATCH_COMMANDS)
        for (; sent < until; sent++) {
          const args = commandAt(sent)
          parts.push(`*${args.length}\r\n`)
          for (const argument of args) parts.push(`$${argument.length}\r\n${argument}\r\n`)
        }
        socket.write(parts.join(''), 'latin1')
      }
    }
    socket.once('error', reject)
    socket.once('close', () => {
      if (answered === count) done()
      else reject(new Error(`the server closed the connection after ${answered} of ${count} commands`))
    })
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('-')) {
        socket.destroy(new Error(`the server refused to load: ${chunk.toString('latin1').slice(0, 200)}`))
        return
      }
      for (const byte of chunk) if (byte === LINE_END) answered++
      if (answered === count) socket.end()
      else sendBatches()
    })
    sendBatches()
  })
}
