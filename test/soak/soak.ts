/**
 * The soak: hours of mixed load in minutes. A whole server lives by a clock that stands still until it is moved; clients
 * come, send requests in any pieces, listen, block, forget to read, and go in the middle of things; databases are
 * emptied, snapshots are written. Now and then everybody leaves, and what the server then holds must be exactly what its
 * keys need.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { CLOSE_ASAP, type OutputSink, type Session } from '../../src/engine/session.ts'
import { createServer } from '../../src/index.ts'
import { TYPE_STRING } from '../../src/keyspace/entry.ts'
import type { Server } from '../../src/server/server.ts'
import { encodeCommand } from '../support/resp-client.ts'
import { SlowSink } from '../support/slow-sink.ts'
import { Workload } from './workload.ts'

export interface SoakOptions {
  readonly seed: number
  /** How far the clock is moved in all. */
  readonly simulatedMs: number
  /** Requests for each second of that. */
  readonly requestsPerSecond: number
  /** How often everybody leaves and everything is counted. */
  readonly checkpoints: number
  readonly log?: (line: string) => void
}

export interface Checkpoint {
  readonly simulatedMs: number
  readonly requests: number
  readonly keys: number
  /** What the arena has given out, and what keys and tables need. */
  readonly usedBytes: number
  readonly neededBytes: number
  readonly heldBytes: number
  readonly heapBytes: number
  readonly rssBytes: number
  /** What is left of clients that are gone: names of what is not empty. */
  readonly leftovers: readonly string[]
}

export interface SoakResult {
  readonly checkpoints: readonly Checkpoint[]
  readonly clients: number
  readonly saves: number
  readonly expired: number
  readonly crash: Error | null
  /** After FLUSHALL at the end, and when the server was new. */
  readonly usedBytesEmpty: number
  readonly usedBytesNew: number
}

const STEP_MS = 100
const CLIENTS_MAX = 60
const BATCH_MAX = 40
/** A pause of all clients that somebody asked for by mistake ends after this. */
const PAUSE_MS_MAX = 2000
const EMPTYING_PERIOD = 30_000
const SAVE_PERIOD_MS = 20_000

/** Reads at once and forgets. */
class ForgetfulSink implements OutputSink {
  readonly queuedBytes = 0
  readonly queuedChunks = 0
  isClosed = false

  sendReplies(reply: Parameters<OutputSink['sendReplies']>[0]): void {
    reply.take()
  }

  send(): void {}

  close(): void {
    this.isClosed = true
  }

  setReading(): void {}
}

interface Client {
  readonly session: Session
  readonly sink: ForgetfulSink | SlowSink
}

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const dir = mkdtempSync(join(tmpdir(), 'o7-soak-'))
  const clock = new ManualClock()
  let crash: Error | null = null
  const embedded = await createServer({
    ...{ listen: false, clock, seed: options.seed, dir, notifyKeyspaceEvents: 'KEA', enableDebugCommand: 'yes' },
    onCrash: (error) => {
      crash = error.cause as Error
    },
  })
  // The soak looks at what no user sees.
  const { server } = embedded as unknown as { readonly server: Server }
  const { engine } = server
  // Rounds of the cron come with the clock, not with the time that passes here.
  server.cron.stop()
  let expired = 0
  const listener = embedded.connect({
    onPush() {
      expired++
    },
  })
  await listener.execute('PSUBSCRIBE', '__keyevent@*__:expired')
  await embedded.execute('PING')
  const usedBytesNew = engine.keyspace.arena.usedBytes

  const random = Random.fromSeed(options.seed)
  const workload = new Workload(random)
  const clients: Client[] = []
  const checkpoints: Checkpoint[] = []
  const steps = Math.ceil(options.simulatedMs / STEP_MS)
  const requestsPerStep = (options.requestsPerSecond * STEP_MS) / 1000
  let requests = 0
  let opened = 0
  let saves = 0
  let pausedSinceMs = 0

  const connect = (): Client => {
    const sink = random.below(5) === 0 ? new SlowSink() : new ForgetfulSink()
    const session = engine.connect(sink)
    opened++
    const client = { session, sink }
    clients.push(client)
    return client
  }
  const leave = (client: Client): void => {
    clients.splice(clients.indexOf(client), 1)
    engine.disconnect(client.session)
  }
  const batch = (client: Client): void => {
    const count = 1 + random.below(BATCH_MAX)
    const bytes = Buffer.concat(Array.from({ length: count }, () => encodeCommand(workload.request().map(latin1))))
    requests += count
    // As the network cuts it: whole, in two, or with the rest never sent.
    const cut = random.below(3) === 0 ? random.below(bytes.length) : bytes.length
    engine.receive(client.session, bytes.subarray(0, cut), cut)
    if (client.session.has(CLOSE_ASAP)) return
    if (random.below(20) === 0) leave(client)
    else if (cut < bytes.length) engine.receive(client.session, bytes.subarray(cut), bytes.length - cut)
  }

  const checkpointEvery = Math.floor(steps / options.checkpoints)
  try {
    for (let step = 1; step <= steps && crash === null; step++) {
      const stopAt = Math.round(step * requestsPerStep)
      while (requests < stopAt && crash === null) {
        const isNew = clients.length === 0 || (clients.length < CLIENTS_MAX && random.below(8) === 0)
        batch(isNew ? connect() : clients[random.below(clients.length)]!)
        for (const client of [...clients]) if (client.session.has(CLOSE_ASAP)) leave(client)
      }
      for (const { sink, session } of clients) {
        if (sink instanceof SlowSink && random.below(20) === 0) {
          sink.read()
          engine.drained(session)
        }
      }
      if (!engine.pause.isPaused) pausedSinceMs = clock.nowMs
      else if (clock.nowMs - pausedSinceMs > PAUSE_MS_MAX) engine.pause.end()
      server.advanceClock(STEP_MS)
      const empties = random.below(EMPTYING_PERIOD / requestsPerStep) === 0
      const savesNow = step % (SAVE_PERIOD_MS / STEP_MS) === 0
      // The soak's own client waits in pauses as others do.
      if (empties || savesNow) engine.pause.end()
      if (empties) await empty(embedded, random)
      if (savesNow) {
        await embedded.execute('BGSAVE')
        saves++
      }
      // The snapshot and what is freed later go on between requests.
      await nextTurn()
      if (step % checkpointEvery === 0) {
        for (const client of [...clients]) leave(client)
        engine.pause.end()
        const checkpoint = await takeStock(server, requests, step * STEP_MS)
        checkpoints.push(checkpoint)
        options.log?.(describe(checkpoint))
      }
    }
    for (const client of [...clients]) leave(client)
    if (crash === null) {
      await embedded.execute('FLUSHALL', 'SYNC')
      await quiet(server)
    }
    return {
      checkpoints,
      clients: opened,
      saves,
      expired,
      crash,
      usedBytesEmpty: engine.keyspace.arena.usedBytes,
      usedBytesNew,
    }
  } finally {
    await embedded.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const latin1 = (word: string): Uint8Array => Buffer.from(word, 'latin1')

async function empty(embedded: { execute(...args: string[]): Promise<unknown> }, random: Random): Promise<void> {
  const [first, second] = [random.below(4), random.below(4)].map(String) as [string, string]
  await embedded.execute('SELECT', first)
  if (random.below(2) === 0) await embedded.execute('SWAPDB', first, second)
  else await embedded.execute('FLUSHDB', random.below(2) === 0 ? 'ASYNC' : 'SYNC')
}

/** Lets everything that goes on in the background come to its end. */
async function quiet(server: Server): Promise<void> {
  const { engine, persistence } = server
  while (persistence.state.isSaving) {
    server.advanceClock(1)
    await nextTurn()
  }
  for (let round = 0; round < 10 || !engine.keyspace.lazyFree.isIdle; round++) {
    server.advanceClock(STEP_MS)
    await nextTurn()
  }
}

async function takeStock(server: Server, requests: number, simulatedMs: number): Promise<Checkpoint> {
  await quiet(server)
  const { engine } = server
  const { arena } = engine.keyspace
  collectGarbage()
  return {
    simulatedMs,
    requests,
    keys: engine.keyspace.keyCount(),
    usedBytes: arena.usedBytes,
    neededBytes: neededBytes(engine),
    heldBytes: arena.heldBytes,
    heapBytes: process.memoryUsage().heapUsed,
    rssBytes: process.memoryUsage.rss(),
    leftovers: leftovers(engine),
  }
}

/** The blocks of all entries with their values, and the tables they stand in. */
function neededBytes({ keyspace }: Engine): number {
  const { table, types } = keyspace
  let bytes = 0
  for (const db of keyspace.databases) {
    db.forEach((entry) => {
      bytes += db.blockBytes(entry)
      const type = db.typeOf(entry)
      if (type !== TYPE_STRING) bytes += types[type]!.sizeBytes(db.rootOf(entry), db.encodingOf(entry), 0)
    })
    for (const { table: ref } of db.tables()) bytes += table.sizeBytes(ref)
  }
  return bytes
}

/** Whatever the engine keeps for clients must be gone with them. Two clients are the soak's own, one of them listens. */
function leftovers(engine: Engine): string[] {
  const { sessions, watch, pubsub, monitors, pause } = engine
  const facts: readonly (readonly [name: string, isEmpty: boolean])[] = [
    ['sessions', sessions.size === 2],
    ['watched keys', watch.isEmpty],
    ['channels', pubsub.channels.size === 0],
    ['patterns', pubsub.patterns.size === 1],
    ['shard channels', pubsub.shardChannels.size === 0],
    ['monitors', monitors.size === 0],
    ['a pause', !pause.isPaused],
    ['replies', engine.reply.pendingBytes === 0],
  ]
  return facts.flatMap(([name, isEmpty]) => (isEmpty ? [] : [name]))
}

let gc: (() => void) | null = null

function collectGarbage(): void {
  if (gc === null) {
    setFlagsFromString('--expose-gc')
    gc = runInNewContext('gc') as () => void
  }
  for (let i = 0; i < 3; i++) gc()
}

export function describe(checkpoint: Checkpoint): string {
  const mib = (bytes: number) => (bytes / 1048576).toFixed(1).padStart(6)
  const { simulatedMs, requests, keys, usedBytes, heldBytes, heapBytes, rssBytes } = checkpoint
  const minutes = (simulatedMs / 60_000).toFixed(1).padStart(6)
  return (
    `${minutes} min  ${String(requests).padStart(9)} requests  ${String(keys).padStart(6)} keys  ` +
    `used ${mib(usedBytes)}  held ${mib(heldBytes)}  heap ${mib(heapBytes)}  rss ${mib(rssBytes)} MiB`
  )
}
