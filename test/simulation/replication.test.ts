/**
 * One master, two replicas and a sub-replica over a network that delays, cuts and hangs, while clients write, servers are
 * promoted and hand over, and the backlog is short. In the end all data must be the same, and no write that WAIT said to be on both
 * replicas may be missing on one that was promoted. A seed replays a run:
 *
 *   O7_SEED=123 O7_SIMULATIONS=1 npx vitest run test/simulation
 */
import { expect, test } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { SEED } from '../support/seed.ts'
import { Node, type SimulatedClient, World } from '../support/simulated-network.ts'

const RUNS = Number(process.env.O7_SIMULATIONS ?? 1000)
const STEPS = 30
const HEAL_MS = 120_000
/** How often to look whether all is settled: never in step with the master's pings, which go out by whole seconds. */
const LOOK_MS = 997

interface Promised {
  readonly key: string
  readonly value: string
}

class Play {
  readonly world: World
  readonly random: Random
  readonly nodes: Node[]
  /** The one that clients write to. */
  master: Node
  /** Writes that WAIT confirmed for all replicas of the master. */
  readonly promised: Promised[] = []
  waiting: { client: SimulatedClient; write: Promised; master: Node } | null = null
  writes = 0
  private readonly clients = new Map<Node, SimulatedClient>()

  constructor(seed: number) {
    this.world = new World(seed)
    this.random = this.world.random
    this.nodes = Array.from({ length: 4 }, () => new Node(this.world))
    this.master = this.nodes[0]!
    const { random } = this
    for (const node of this.nodes) {
      const { settings } = node
      settings.diskless = random.below(3) > 0
      settings.disklessDelaySeconds = random.below(2)
      settings.disklessLoad = (['disabled', 'on-empty-db', 'swapdb'] as const)[random.below(3)]!
      settings.backlogBytes = random.below(2) === 0 ? 16 * 1024 : 1024 * 1024
      settings.timeoutSeconds = 5 + random.below(10)
      settings.pingSeconds = 1 + random.below(4)
      node.replication.settingsChanged()
    }
  }

  client(node: Node): SimulatedClient {
    let client = this.clients.get(node)
    if (client === undefined || client.session.engine.sessions.get(client.session.id) === undefined) {
      client = node.client()
      this.clients.set(node, client)
    }
    return client
  }

  follow(node: Node, master: Node): void {
    this.client(node).send('REPLICAOF', '10.0.0.9', master.port)
  }

  async step(): Promise<void> {
    const { random, world } = this
    switch (random.below(12)) {
      case 0:
        for (const wire of world.connections) if (random.below(2) === 0) wire.cut()
        break
      case 1:
        world.weather = {
          delayUs: [100, 2000, 50_000, 400_000][random.below(4)]!,
          cutsPerMille: [0, 0, 20, 100][random.below(4)]!,
          connectUs: [100, 5000, 2_000_000][random.below(3)]!,
        }
        break
      case 2: {
        const node = this.nodes[random.below(this.nodes.length)]!
        node.isDown = true
        await world.pass(random.below(12_000))
        node.isDown = false
        break
      }
      case 3:
        await this.promote()
        break
      case 4:
        this.client(this.master).send('FAILOVER', 'TIMEOUT', 2000)
        await world.pass(4000)
        this.adoptNewMaster()
        break
      case 5:
        this.rewire()
        break
      case 6:
        this.wait()
        break
      case 7:
        await world.pass(random.below(5000))
        break
      default:
        this.write()
    }
    this.checkWait()
    await world.pass(random.below(500))
    this.checkWait()
  }

  write(): void {
    const { random } = this
    const client = this.client(this.master)
    for (let count = random.below(20); count > 0; count--) {
      const key = `k${random.below(40)}`
      const value = random.below(10) === 0 ? 'x'.repeat(random.below(3000)) : String(random.below(1000))
      switch (random.below(10)) {
        case 0:
          client.send('DEL', key)
          break
        case 1:
          client.send('MULTI')
          client.send('SET', key, value)
          client.send('APPEND', key, 'tail')
          client.send('EXEC')
          break
        case 2:
          client.send('SELECT', random.below(4))
          break
        case 3:
          client.send('SET', key, value, 'PX', 1 + random.below(4000))
          break
        case 4:
          client.send('INCR', `n${random.below(5)}`)
          break
        case 5:
          client.send('RPUSH', `l${random.below(5)}`, value, 'b')
          break
        case 6:
          client.send('LPOP', `l${random.below(5)}`)
          break
        case 7:
          client.send('PUBLISH', 'c', value)
          break
        default:
          client.send('SET', key, value)
      }
    }
  }

  /** A write that no other touches, and the wish to know that both replicas have it. */
  wait(): void {
    if (this.waiting !== null) return
    const client = this.master.client()
    const write = { key: `promised:${this.writes++}`, value: String(this.random.below(1e6)) }
    if (!client.send('SET', write.key, write.value).startsWith('+OK')) return
    const reply = client.send('WAIT', 2, 30_000)
    this.waiting = { client, write, master: this.master }
    this.noteWait(reply)
  }

  checkWait(): void {
    if (this.waiting !== null) this.noteWait(this.waiting.client.take())
  }

  noteWait(reply: string): void {
    const { waiting } = this
    if (waiting === null || reply === '') return
    const count = /^:(\d+)/.exec(reply)
    const gone = !count || Number(count[1]) < 2
    const { writtenOffset } = waiting.client.session
    this.waiting = null
    waiting.client.close()
    if (gone || waiting.master !== this.master) return
    this.promised.push(waiting.write)
    // There may be a third replica, which was not waited for.
    const holders = [...waiting.master.replication.replicas.all].filter(({ ackOffset }) => ackOffset >= writtenOffset)
    this.holders = new Set(holders.map(({ listeningPort }) => listeningPort))
  }

  /** Who had all promised writes when the last was confirmed. */
  holders = new Set<number>()

  /** The master goes away for good, as far as its clients know, and a replica takes over. */
  async promote(): Promise<void> {
    const candidates = this.nodes.filter(
      (node) => node !== this.master && node.replication.masterAddress?.port === this.master.port && this.isWhole(node),
    )
    if (candidates.length === 0) return
    const next = candidates[this.random.below(candidates.length)]!
    this.client(next).send('REPLICAOF', 'NO', 'ONE')
    this.checkPromises(next)
    const old = this.master
    this.master = next
    this.waiting?.client.close()
    this.waiting = null
    for (const node of this.nodes) {
      if (node === next) continue
      if (node === old || this.random.below(2) === 0) this.follow(node, next)
    }
    this.holders = new Set()
    this.promised.length = 0
    await this.world.pass(this.random.below(1000))
  }

  /** It has the data of its master and not half of it. */
  isWhole(node: Node): boolean {
    const { state } = node.replication.link
    return state === 'connected' || (node.replication.link.cached !== null && state !== 'transfer')
  }

  checkPromises(node: Node): void {
    if (this.promised.length === 0 || !this.holders.has(node.port)) return
    const client = node.client()
    for (const { key, value } of this.promised) {
      expect(client.send('GET', key), `${key} on a promoted replica`).toBe(`$${value.length}\r\n${value}\r\n`)
    }
    client.close()
  }

  /** FAILOVER may have made another one the master. */
  adoptNewMaster(): void {
    if (!this.master.replication.isReplica) {
      this.client(this.master).send('FAILOVER', 'ABORT')
      if (!this.master.replication.isReplica) return
    }
    const masters = this.nodes.filter(({ replication }) => !replication.isReplica)
    const { masterAddress } = this.master.replication
    const next = masters.find(({ port }) => port === masterAddress?.port)
    if (next === undefined) {
      // It was asked, and has not answered: then there is none, and we stay.
      this.client(this.master).send('FAILOVER', 'ABORT')
      this.client(this.master).send('REPLICAOF', 'NO', 'ONE')
    } else this.master = next
    this.holders = new Set()
    this.promised.length = 0
  }

  /** Somebody follows somebody else. */
  rewire(): void {
    const { random, nodes } = this
    const node = nodes[1 + random.below(3)]!
    const target = nodes[random.below(4)]!
    if (node === this.master || node === target) return
    // No circles.
    for (let at: Node | undefined = target; at !== undefined; ) {
      if (at === node) return
      const port: number | undefined = at.replication.masterAddress?.port
      at = port === undefined ? undefined : this.world.find(port)
    }
    this.follow(node, target)
    this.holders.delete(node.port)
  }

  /** The network is well again and everybody follows: in the end all have the same. */
  async heal(): Promise<void> {
    const { world, nodes } = this
    this.adoptNewMaster()
    world.weather = { delayUs: 200, cutsPerMille: 0, connectUs: 500 }
    const others = nodes.filter((node) => node !== this.master)
    this.client(this.master).send('REPLICAOF', 'NO', 'ONE')
    const targets = [this.master, this.master, others[1]!]
    for (const [index, node] of others.entries()) this.follow(node, targets[index]!)
    this.write()
    // Keys that expire do so on the master, and when somebody looks.
    for (let passed = 0; passed < HEAL_MS; passed += LOOK_MS) {
      await world.pass(LOOK_MS)
      // Who was handing over refused to follow anybody, and is a master again when that fails.
      for (const [index, node] of others.entries()) {
        if (node.replication.masterAddress?.port !== targets[index]!.port) this.follow(node, targets[index]!)
      }
      this.sweep()
      if (passed > 6000 && this.isSettled()) return
    }
  }

  sweep(): void {
    const { keyspace } = this.master.engine
    for (const db of keyspace.databases) {
      db.forEach((entry) => {
        if (db.isOverdue(entry)) db.expire(entry)
      })
    }
  }

  isSettled(): boolean {
    const { offset } = this.master.replication
    return this.nodes.every((node) => {
      if (node === this.master) return true
      return node.replication.link.state === 'connected' && node.replication.offset === offset
    })
  }

  /** Keys that the master has otherwise than others. */
  differences(): string[] {
    const reference = dump(this.master)
    const lines: string[] = []
    for (const node of this.nodes) {
      const data = dump(node)
      for (const key of new Set([...reference.keys(), ...data.keys()])) {
        const [mine, theirs] = [reference.get(key), data.get(key)]
        if (mine !== theirs) lines.push(`${node.port} ${key}: ${theirs?.slice(0, 40)} instead of ${mine?.slice(0, 40)}`)
      }
    }
    return lines
  }

  story(): string {
    const lines: string[] = this.differences()
    for (const node of this.nodes) {
      const { replication } = node
      lines.push(
        `--- ${node.port}: ${replication.isReplica ? `replica of ${replication.masterAddress!.port} (${replication.link.state})` : 'master'}, offset ${replication.offset}, id ${replication.history.id.slice(0, 6)}`,
      )
      lines.push(...node.log.slice(-25))
    }
    return lines.join('\n')
  }
}

/** All keys of a node, by database and name, with their values as DUMP has them and their expire times. */
function dump(node: Node): Map<string, string> {
  const data = new Map<string, string>()
  for (const db of node.engine.keyspace.databases) {
    db.forEach((entry) => {
      const name = Buffer.from(db.keyBytes(entry)).toString('latin1')
      const value = Buffer.from(node.persistence.dump(db, entry)).toString('latin1')
      data.set(`${db.index}:${name}`, `${JSON.stringify(value)} ${db.expireAtMs(entry)}`)
    })
  }
  return data
}

async function play(seed: number): Promise<{ partial: number; full: number }> {
  const game = new Play(seed)
  const [first, second, third, fourth] = game.nodes as [Node, Node, Node, Node]
  game.follow(second, first)
  game.follow(third, first)
  game.follow(fourth, third)
  await game.world.pass(3000)
  for (let step = 0; step < STEPS; step++) await game.step()
  await game.heal()
  const where = () => `seed ${seed}\n${game.story()}`
  expect(game.isSettled(), where()).toBe(true)
  const digest = game.master.digest()
  for (const node of game.nodes) expect(node.digest(), `${node.port}, ${where()}`).toBe(digest)
  const { nodes } = game
  for (const node of nodes) {
    expect(node.engine.isStopped, where()).toBe(false)
    expect(node.engine.keyspace.hasGuests, where()).toBe(false)
    expect(node.files.openFiles, where()).toBe(0)
  }
  let partial = 0
  let full = 0
  for (const node of nodes) {
    partial += node.replication.replicas.partialSyncs
    full += node.replication.replicas.fullSyncs
  }
  return { partial, full }
}

test('data ends the same everywhere, whatever happens on the way', { timeout: 600_000 }, async () => {
  let partial = 0
  let full = 0
  for (let run = 0; run < RUNS; run++) {
    const seed = SEED + run
    try {
      const counts = await play(seed)
      partial += counts.partial
      full += counts.full
    } catch (error) {
      console.error(`O7_SEED=${seed} O7_SIMULATIONS=1 replays this run`)
      throw error
    }
  }
  // Both ways of synchronizing must have been taken, or the play shows little.
  expect(partial).toBeGreaterThan(RUNS)
  expect(full).toBeGreaterThan(RUNS)
})
