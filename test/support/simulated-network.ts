/**
 * Several servers in one process, on one clock, with a network between them that delays, cuts and hangs: everything that
 * happens is an event in one queue, and everything left to chance comes from one seed.
 */
import { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { listCommands } from '../../src/commands/list/index.ts'
import { pubsubCommands } from '../../src/commands/pubsub/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { transactionCommands } from '../../src/commands/transactions/index.ts'
import type { Command } from '../../src/engine/command.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { OutputSink, Session } from '../../src/engine/session.ts'
import { datasetDigest } from '../../src/keyspace/digest.ts'
import { Persistence, type Scheduler } from '../../src/persistence/persistence.ts'
import { PersistenceSettings } from '../../src/persistence/settings.ts'
import { replicationCommands } from '../../src/replication/commands.ts'
import type { Link, LinkEvents, Network } from '../../src/replication/link.ts'
import { Replication } from '../../src/replication/replication.ts'
import { ReplicationSettings } from '../../src/replication/settings.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'
import { MemoryFiles } from './memory-files.ts'

const CRON_US = 100_000
const DOWN_CHECK_US = 20_000

interface Event {
  readonly atUs: number
  readonly order: number
  readonly run: () => void
}

/** How the network is. */
export interface Weather {
  delayUs: number
  /** Of 1000 deliveries so many are cut. */
  cutsPerMille: number
  /** Connections take this long to be refused or made. */
  connectUs: number
}

export class World {
  readonly clock = new ManualClock()
  readonly random: Random
  readonly nodes: Node[] = []
  readonly connections = new Set<Wire>()
  weather: Weather = { delayUs: 500, cutsPerMille: 0, connectUs: 1000 }
  private readonly heap: Event[] = []
  private order = 0
  nowUs = 0

  constructor(seed: number) {
    this.random = Random.fromSeed(seed)
  }

  at(delayUs: number, run: () => void): void {
    const event: Event = { atUs: this.nowUs + Math.max(0, Math.floor(delayUs)), order: this.order++, run }
    const { heap } = this
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const untilUs = this.nowUs + ms * 1000
    for (;;) {
      const next = this.heap[0]
      if (next === undefined || next.atUs > untilUs) break
      this.pop()
      this.moveTo(next.atUs)
      next.run()
      // Files answer by promises.
      await undefined
    }
    this.moveTo(untilUs)
  }

  chance(perMille: number): boolean {
    return this.random.below(1000) < perMille
  }

  find(port: number): Node | undefined {
    return this.nodes.find((node) => node.port === port)
  }

  private moveTo(us: number): void {
    const ms = Math.floor(us / 1000) - Math.floor(this.nowUs / 1000)
    this.nowUs = us
    if (ms > 0) this.clock.advance(ms)
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop()!
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = i * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order)
}

/** One direction of a connection: bytes on their way, in order. */
class Direction {
  queuedBytes = 0
  private readonly world: World
  private readonly wire: Wire
  private readonly target: Node
  private readonly deliver: (bytes: Uint8Array) => void
  private readonly drained: () => void
  private lastUs = 0
  private isHeld = false
  /** What waits because the other end does not read, or stands still. */
  private waiting: Uint8Array[] = []

  constructor(world: World, wire: Wire, target: Node, deliver: (bytes: Uint8Array) => void, drained: () => void) {
    this.world = world
    this.wire = wire
    this.target = target
    this.deliver = deliver
    this.drained = drained
  }

  send(bytes: Uint8Array): void {
    const { world, wire } = this
    if (wire.isCut || bytes.length === 0) return
    const { random, weather } = world
    // What stays as it is may still be looked at later; a copy shows whether it did.
    let rest = bytes
    while (rest.length > 0) {
      const length = world.chance(300) ? 1 + random.below(rest.length) : rest.length
      this.sendPiece(rest.slice(0, length), weather.delayUs)
      rest = rest.subarray(length)
    }
  }

  setReading(reading: boolean): void {
    this.isHeld = !reading
    if (reading) this.flush()
  }

  private readonly flush = (): void => {
    if (this.isHeld || this.wire.isCut) return
    if (this.target.isDown) {
      this.world.at(DOWN_CHECK_US, this.flush)
      return
    }
    // Delivering may stop the reading again.
    while (this.waiting.length > 0 && !this.isHeld && !this.wire.isCut) this.deliver(this.waiting.shift()!)
  }

  private sendPiece(bytes: Uint8Array, delayUs: number): void {
    const { world } = this
    this.queuedBytes += bytes.length
    // In order, whatever the delays.
    const now = world.nowUs
    this.lastUs = Math.max(this.lastUs, now + world.random.below(delayUs + 1))
    world.at(this.lastUs - now, () => {
      if (this.wire.isCut) return
      if (world.chance(world.weather.cutsPerMille)) {
        // Part of it may have got through.
        if (this.waiting.length === 0) this.deliver(bytes.subarray(0, world.random.below(bytes.length)))
        this.wire.cut()
        return
      }
      this.queuedBytes -= bytes.length
      this.arrive(bytes)
      if (this.queuedBytes === 0 && !this.wire.isCut) this.drained()
    })
  }

  private arrive(bytes: Uint8Array): void {
    if (this.wire.isCut || bytes.length === 0) return
    this.waiting.push(bytes)
    if (this.waiting.length === 1) this.flush()
  }
}

/** A connection from one node to another. */
export class Wire {
  isCut = false
  readonly from: Node
  readonly to: Node
  private readonly world: World
  private readonly events: LinkEvents
  private toServer: Direction | null = null
  private toClient: Direction | null = null
  private session: Session | null = null
  private clientIsGone = false

  constructor(world: World, from: Node, to: Node, events: LinkEvents) {
    this.world = world
    this.from = from
    this.to = to
    this.events = events
  }

  open(): void {
    if (this.clientIsGone) return
    const { world } = this
    world.connections.add(this)
    const toClient = new Direction(
      world,
      this,
      this.from,
      (bytes) => {
        if (!this.clientIsGone) this.events.received(bytes, bytes.length)
      },
      () => {
        if (this.session !== null) this.to.engine.drained(this.session)
      },
    )
    this.toClient = toClient
    const sink: OutputSink = {
      get queuedBytes() {
        return toClient.queuedBytes
      },
      get queuedChunks() {
        return toClient.queuedBytes > 0 ? 1 : 0
      },
      sendReplies: (reply: ReplyWriter) => toClient.send(reply.takeBytes()),
      send: (bytes) => toClient.send(bytes),
      close: () => {
        const { session } = this
        this.session = null
        if (session !== null) this.to.engine.disconnect(session)
        this.end()
      },
      setReading() {},
    }
    const session = this.to.engine.connect(sink)
    session.address = `10.0.0.${this.from.index + 1}:${40_000 + world.random.below(20_000)}`
    this.session = session
    this.toServer = new Direction(
      world,
      this,
      this.to,
      (bytes) => {
        if (this.session !== null) this.to.engine.receive(session, bytes, bytes.length)
      },
      () => {},
    )
    this.events.connected()
  }

  readonly link: Link = {
    localAddress: '10.0.0.1:1',
    remoteAddress: '10.0.0.2:2',
    send: (bytes) => this.toServer?.send(bytes),
    setReading: (reading) => this.toClient?.setReading(reading),
    close: () => {
      this.clientIsGone = true
      this.end()
    },
  }

  /** The network fails: each end hears of it at its own time. */
  cut(): void {
    if (this.isCut) return
    this.isCut = true
    this.world.connections.delete(this)
    const { world } = this
    const noticeUs = () => world.random.below(world.chance(100) ? 3_000_000 : 2000)
    world.at(noticeUs(), () => {
      const { session } = this
      this.session = null
      if (session !== null) this.to.engine.disconnect(session)
    })
    world.at(noticeUs(), () => {
      if (!this.clientIsGone) {
        this.clientIsGone = true
        this.events.closed('Connection reset by peer')
      }
    })
  }

  /** One end has closed it. */
  private end(): void {
    if (this.isCut) return
    this.cut()
  }
}

/** A server without sockets and files. */
export class Node {
  readonly index: number
  readonly port: number
  readonly engine: Engine
  readonly persistence: Persistence
  readonly replication: Replication
  readonly settings = new ReplicationSettings()
  readonly files = new MemoryFiles()
  readonly log: string[] = []
  /** It stands still, as a machine that hangs. */
  isDown = false
  private readonly world: World

  constructor(world: World, commands: (node: Node) => readonly Command[] = commandsOf) {
    this.world = world
    this.index = world.nodes.length
    this.port = 7000 + this.index
    world.nodes.push(this)
    const scheduler: Scheduler = {
      soon: (run) => world.at(world.random.below(50), run),
      after: (ms, run) => world.at(ms * 1000, run),
    }
    this.engine = new Engine({
      clock: world.clock,
      random: Random.fromSeed(world.random.int32() >>> 0),
      databases: 4,
      commands: commands(this),
      log: (level, message) => this.log.push(`${world.clock.nowMs % 1_000_000} ${level} ${message}`),
    })
    const persistenceSettings = new PersistenceSettings()
    persistenceSettings.dir = '/data'
    this.persistence = new Persistence(this.engine, { fileSystem: this.files, scheduler }, persistenceSettings)
    const network: Network = {
      connect: (_host, port, events) => {
        const target = world.find(port)
        const wire = new Wire(world, this, target ?? this, events)
        const delayUs = world.random.below(world.weather.connectUs)
        world.at(delayUs, () => {
          if (target === undefined || target.isDown) events.closed('Connection refused')
          else wire.open()
        })
        return wire.link
      },
    }
    this.replication = new Replication({
      engine: this.engine,
      persistence: this.persistence,
      settings: this.settings,
      scheduler,
      network,
      listeningPort: () => this.port,
      onRoleChange() {},
      onInSync() {},
    })
    world.at(world.random.below(CRON_US), this.cron)
  }

  digest(): string {
    return datasetDigest(this.engine.keyspace)
  }

  /** A client of this node's own. */
  client(): SimulatedClient {
    return new SimulatedClient(this)
  }

  private readonly cron = (): void => {
    this.world.at(CRON_US, this.cron)
    if (this.isDown || this.engine.isStopped) return
    const { engine } = this
    engine.pause.tick()
    engine.blocking.tick()
    this.replication.tick()
    this.persistence.cron()
  }
}

/** Talks to a node directly; replies gather as text. */
export class SimulatedClient {
  readonly node: Node
  readonly session: Session
  private text = ''

  constructor(node: Node) {
    this.node = node
    this.session = node.engine.connect({
      queuedBytes: 0,
      queuedChunks: 0,
      sendReplies: (reply) => {
        this.text += Buffer.from(reply.takeBytes()).toString('latin1')
      },
      send: (bytes) => {
        this.text += Buffer.from(bytes).toString('latin1')
      },
      close() {},
      setReading() {},
    })
  }

  send(...args: readonly (string | number)[]): string {
    let request = `*${args.length}\r\n`
    for (const arg of args) request += `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`
    const bytes = Buffer.from(request)
    this.node.engine.receive(this.session, bytes, bytes.length)
    return this.take()
  }

  take(): string {
    const { text } = this
    this.text = ''
    return text
  }

  close(): void {
    this.node.engine.disconnect(this.session)
  }
}

/** What clients use in simulations, and what replication needs: all commands would take longer to set up than a run. */
function commandsOf(node: Node): readonly Command[] {
  return [
    ...transactionCommands,
    ...pubsubCommands,
    ...genericCommands,
    ...stringCommands,
    ...listCommands,
    ...connectionCommands(),
    ...replicationCommands(() => node.replication),
  ]
}
