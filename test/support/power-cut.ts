/**
 * Servers on a disk that loses power at any moment. Clients write, rewrites and saves run, fsyncs end when they end; then the power
 * goes, and a server that starts from what is left must have
 *
 *   - a state that the data once was in, no other;
 *   - with `appendfsync always`, everything that was acknowledged;
 *   - with `everysec`, everything that was acknowledged two seconds ago;
 *   - without append-only files, what the last successful save had.
 *
 * All from one seed. A run is cut many times: each cut looks at another possible disk, and the last one is where the next run goes on.
 */
import type { Argv } from '../../src/base/argv.ts'
import type { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { echo } from '../../src/commands/connection/ping.ts'
import { select } from '../../src/commands/connection/select.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { listCommands } from '../../src/commands/list/index.ts'
import { swapdb } from '../../src/commands/server/databases.ts'
import { flushall } from '../../src/commands/server/flush.ts'
import { setCommands } from '../../src/commands/set/index.ts'
import { transactionCommands } from '../../src/commands/transactions/index.ts'
import type { Session } from '../../src/engine/session.ts'
import { datasetDigest } from '../../src/keyspace/digest.ts'
import { PersistenceError } from '../../src/persistence/errors.ts'
import { CaptureSink } from './engine.ts'
import { ticks } from './memory-files.ts'
import { createTestPersistence, type ManualScheduler, type TestPersistence } from './persistence.ts'
import { PowerCutFiles } from './power-cut-files.ts'

export type Durability = 'always' | 'everysec' | 'no' | 'rdb'

export interface PowerCutOptions {
  readonly seed: number
  readonly cuts: number
}

export interface PowerCutReport {
  cuts: number
  runs: number
  writes: number
  rewrites: number
  saves: number
  /** How far behind the newest state a recovered one was at most, in writes. */
  lostMax: Record<Durability, number>
}

const CUTS_PER_RUN = 12
const CLIENTS = 4
const KEYS = 12
const LOST_MS_MAX = 2000

interface Run {
  readonly random: Random
  readonly mode: Durability
  readonly files: PowerCutFiles
  readonly test: TestPersistence
  readonly clients: Client[]
  readonly history: History
}

/** Every state that the data was in, by number of the write that made it. */
class History {
  /** Index of the newest state with this digest. */
  readonly states = new Map<string, number>()
  newest = 0
  /** When each state came about. */
  readonly madeMs: number[] = []
  /** Nothing older may be found. */
  floor = 0

  add(digest: string, nowMs: number): void {
    this.newest++
    this.states.set(digest, this.newest)
    this.madeMs[this.newest] = nowMs
  }
}

class Client {
  readonly session: Session
  /** The newest state that an answer has told of. */
  acknowledged = 0
  private readonly sink = new CaptureSink()
  private readonly test: TestPersistence
  private readonly history: History
  /** Batches without an answer: a word that the answer ends with, and the newest state by then. */
  private readonly waiting: { word: string; state: number }[] = []
  private sent = 0
  /** The newest state of this client's making. */
  private written = 0

  constructor(test: TestPersistence, history: History) {
    this.test = test
    this.history = history
    this.session = test.engine.connect(this.sink)
  }

  send(commands: readonly (readonly string[])[]): void {
    const word = `answer-${this.session.id}-${this.sent++};`
    const all = [...commands, ['ECHO', word]]
    const bytes = Buffer.concat(all.map((parts) => encoded(parts)))
    const before = this.history.newest
    this.test.engine.receive(this.session, bytes, bytes.length)
    // Who wrote nothing is not told that what others wrote is safe.
    if (this.history.newest > before) this.written = this.history.newest
    this.waiting.push({ word, state: this.written })
    this.read()
  }

  /** Takes what has come; returns the newest state that is acknowledged by it, or 0. */
  read(): number {
    const text = this.sink.take()
    let acknowledged = 0
    while (this.waiting.length > 0 && text.includes(this.waiting[0]!.word)) acknowledged = this.waiting.shift()!.state
    if (acknowledged > this.acknowledged) this.acknowledged = acknowledged
    return acknowledged
  }
}

function encoded(parts: readonly string[]): Buffer {
  return Buffer.from(
    `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`,
  )
}

/** Throws if a recovered state is wrong. */
export async function runPowerCuts({ seed, cuts }: PowerCutOptions): Promise<PowerCutReport> {
  const report: PowerCutReport = {
    cuts: 0,
    runs: 0,
    writes: 0,
    rewrites: 0,
    saves: 0,
    lostMax: { always: 0, everysec: 0, no: 0, rdb: 0 },
  }
  for (let runSeed = seed; report.cuts < cuts; runSeed++) {
    try {
      await runOnce(runSeed, Math.min(CUTS_PER_RUN, cuts - report.cuts), report)
    } catch (error) {
      throw new Error(`power cut: repeat with seed ${runSeed}`, { cause: error })
    }
  }
  return report
}

async function runOnce(seed: number, cuts: number, report: PowerCutReport): Promise<void> {
  const random = Random.fromSeed(seed)
  const mode = (['always', 'always', 'everysec', 'everysec', 'no', 'rdb'] as const)[random.below(6)]!
  const history = new History()
  let run = await start(random, mode, new PowerCutFiles(random), history, 1_600_000_000_000)
  history.add(datasetDigest(run.test.engine.keyspace), run.test.clock.nowMs)
  history.floor = 0
  report.runs++
  let cutsLeft = cuts
  while (cutsLeft > 0) {
    const nextCut = run.files.operations + 1 + random.below(60)
    let image: PowerCutFiles | null = null
    let floor = 0
    let newest = 0
    let underWay = ''
    run.files.onOperation = () => {
      if (image !== null || run.files.operations < nextCut) return
      image = run.files.imageAfterCut()
      floor = floorOf(run)
      newest = history.newest
      // FLUSHALL saves before it is over.
      underWay = datasetDigest(run.test.engine.keyspace)
    }
    for (let steps = 0; image === null && steps < 400; steps++) await step(run)
    run.files.onOperation = null
    if (image === null) {
      image = run.files.imageAfterCut()
      floor = floorOf(run)
      newest = history.newest
    }
    cutsLeft--
    report.cuts++
    report.rewrites += run.test.persistence.aof.state.rewrites
    report.saves += run.test.persistence.state.saves
    run.test.persistence.aof.state.rewrites = 0
    run.test.persistence.state.saves = 0
    const goesOn = random.below(3) > 0 && cutsLeft > 0
    const recovered = await start(random, mode, image, history, run.test.clock.nowMs)
    const digest = datasetDigest(recovered.test.engine.keyspace)
    const state = digest === underWay ? Math.max(newest, floor) : history.states.get(digest)
    if (state === undefined) throw new Error(`${mode}: a state that never was\n${describe(recovered)}`)
    // A digest names the newest state that had it; an older one that is the same is just as good.
    if (state < floor)
      throw new Error(
        `${mode}: lost what was acknowledged: state ${state} of ${newest}, floor ${floor}\n${describe(recovered)}`,
      )
    report.lostMax[mode] = Math.max(report.lostMax[mode], newest - Math.min(state, newest))
    if (!goesOn) {
      // The recovered server is the one to go on with: what it has is all that there is now.
      report.writes += history.newest
      history.states.clear()
      history.newest = 0
      history.add(datasetDigest(recovered.test.engine.keyspace), recovered.test.clock.nowMs)
      history.floor = 1
      for (const client of recovered.clients) client.acknowledged = 0
      run = recovered
    }
  }
  report.writes += history.newest
}

/** The oldest state that a server may be found in. */
function floorOf({ mode, history, clients, test }: Run): number {
  let acknowledged = 0
  for (const client of clients) {
    client.read()
    acknowledged = Math.max(acknowledged, client.acknowledged)
  }
  if (mode === 'always') history.floor = Math.max(history.floor, acknowledged)
  else if (mode === 'everysec') {
    const sinceMs = test.clock.nowMs - LOST_MS_MAX
    let state = acknowledged
    while (state > history.floor && history.madeMs[state]! > sinceMs) state--
    history.floor = Math.max(history.floor, state)
  }
  return history.floor
}

async function start(
  random: Random,
  mode: Durability,
  files: PowerCutFiles,
  history: History,
  nowMs: number,
): Promise<Run> {
  const test = createTestPersistence({
    seed: random.int32() >>> 0,
    fileSystem: files,
    commands: [
      ...transactionCommands,
      ...genericCommands,
      ...listCommands,
      ...setCommands,
      flushall,
      swapdb,
      select,
      echo,
    ],
  })
  const clock = test.clock as ManualClock
  clock.nowMs = nowMs
  const { persistence, settings, engine } = test
  engine.onDataFlushed = () => persistence.dataFlushed()
  settings.savePoints = [{ seconds: 1_000_000, changes: 1_000_000 }]
  settings.rewriteBytesMin = 600
  settings.usesRdbBase = random.below(3) > 0
  settings.timestamps = random.below(2) === 0
  if (mode !== 'rdb') settings.fsyncPolicy = mode
  // The state is looked at before a rewrite of the new server changes the files.
  await load(test, mode)
  const run: Run = { random, mode, files, test, history, clients: [] }
  engine.effects.addSink(recorder(run))
  for (let i = 0; i < CLIENTS; i++) run.clients.push(new Client(test, history))
  return run
}

async function load({ persistence, scheduler, log }: TestPersistence, mode: Durability): Promise<void> {
  const loading = mode === 'rdb' ? persistence.loadAtStart() : persistence.aof.loadAtStart()
  let isOver = false
  const over = loading.finally(() => {
    isOver = true
  })
  over.catch(() => {})
  while (!isOver) {
    await ticks()
    if (!scheduler.turn()) await ticks()
  }
  try {
    await loading
    if (mode !== 'rdb') persistence.aof.openAtStart()
  } catch (error) {
    if (!(error instanceof PersistenceError)) throw error
    throw new Error(`the server does not start: ${error.message}\n${log.join('\n')}`)
  }
}

/** Notes each state as it comes about. A transaction is one. */
function recorder(run: Run) {
  let isInMulti = false
  return {
    effect(_dbIndex: number, argv: Argv) {
      if (argv.is(0, 'MULTI')) isInMulti = true
      else if (argv.is(0, 'EXEC')) isInMulti = false
      if (isInMulti || argv.is(0, 'SELECT')) return
      const { keyspace, clock } = run.test.engine
      run.history.add(datasetDigest(keyspace), clock.nowMs)
    },
  }
}

async function step(run: Run): Promise<void> {
  const { random, test, files, clients, mode, history } = run
  const { persistence, scheduler, clock } = test
  const draw = random.below(100)
  if (draw < 40) clients[random.below(CLIENTS)]!.send(batch(random))
  else if (draw < 70) turn(scheduler)
  else if (draw < 88) {
    files.settleOne()
    await ticks()
  } else if (draw < 96) {
    clock.advance(random.below(300))
    persistence.cron()
  } else if (draw < 98) {
    if (mode !== 'rdb') persistence.aof.startRewrite()
    else if (random.below(2) === 0) {
      const state = history.newest
      if (!persistence.isBusy && persistence.save()) history.floor = Math.max(history.floor, state)
    } else backgroundSave(run)
  } else if (mode !== 'rdb') backgroundSave(run)
  for (const client of clients) client.read()
}

function turn(scheduler: ManualScheduler): void {
  scheduler.turn()
}

function backgroundSave({ test: { persistence }, history, mode }: Run): void {
  if (persistence.isBusy) return
  const state = history.newest
  if (!persistence.startBackgroundSave()) return
  persistence.onSaveEnd = (succeeded) => {
    if (succeeded && mode === 'rdb') history.floor = Math.max(history.floor, state)
  }
}

function batch(random: Random): string[][] {
  const commands = Array.from({ length: 1 + random.below(3) }, () => write(random))
  // FLUSHALL saves what a transaction has left so far: a state that nobody else sees.
  if (random.below(4) > 0 || commands.some(([name]) => name === 'FLUSHALL')) return commands
  return [['MULTI'], ...commands, ['EXEC']]
}

function write(random: Random): string[] {
  const key = `key:${random.below(KEYS)}`
  const value = 'v'.repeat(random.below(40)) + random.below(1000)
  switch (random.below(12)) {
    case 0:
      return ['DEL', key]
    case 1:
      return ['APPEND', `text:${key}`, value]
    case 2:
      return ['RPUSH', `list:${key}`, value, value]
    case 3:
      return ['SADD', `set:${key}`, value, String(random.below(10))]
    case 4:
      return ['INCR', 'counter']
    case 5:
      return ['SET', key, value, 'EX', String(100_000 + random.below(1000))]
    case 6:
      return ['LPOP', `list:${key}`]
    case 7:
      return random.below(8) === 0 ? ['FLUSHALL'] : ['SET', key, value]
    case 8:
      return random.below(4) === 0 ? ['SWAPDB', '0', '1'] : ['SET', key, value]
    default:
      return ['SET', key, value]
  }
}

function describe({ test, files }: Run): string {
  return [...files.list, ...test.log.slice(-20)].join('\n')
}
