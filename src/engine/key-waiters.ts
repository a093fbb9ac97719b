/**
 * Clients that wait for keys: BLPOP and its kin, XREAD and XREADGROUP with BLOCK.
 *
 * A handler that finds nothing lets its client wait instead of replying:
 *
 *   if (!mayWait(ctx)) return reply.nullArray()
 *   ctx.engine.keyWaiters.wait(ctx, argv, 1, argv.count - 2, untilMs, {
 *     type: TYPE_LIST,
 *     serve(ctx, argv, keyIndex, reply) { ... pop, ctx.changed, ctx.addEffect(['LPOP', key]), reply ...; return true },
 *   })
 *
 * `untilMs` is the last Unix millisecond of the waiting, 0 for none. The arguments are copied; `serve` gets the copy and
 * the index of the key that became ready, so the code that serves at once serves later as well. It runs as a command of
 * the client that waited, whose db and protocol apply.
 *
 * Keys become ready when they are created (any command: the keyspace tells), and when `signal` says so: XADD grows a
 * stream that was there, XGROUP DESTROY takes away what clients wait for. A stream that goes away is signalled by the
 * keyspace. After the command, transaction or script under way the engine calls `serve`: keys in the order in which they
 * became ready; for each the clients that wait for its type, who waited longest first, as long as the value lasts. Serving
 * may make further keys ready; they come after all of these.
 * Source of the order: Redis 7.0's documentation of blocking operations, and its behaviour.
 */
import type { Argv } from '../base/argv.ts'
import type { Db } from '../keyspace/db.ts'
import { NO_KEY, TYPE_STREAM } from '../keyspace/entry.ts'
import { ArenaFullError, type Ref } from '../memory/arena.ts'
import { ERR_OOM, errorReply } from '../resp/errors.ts'
import { ReplyWriter } from '../resp/reply-writer.ts'
import type { Engine } from './engine.ts'
import { DENY_BLOCKING, FROM_MASTER, LOADER, type Session } from './session.ts'

const ERR_STREAM_GONE = errorReply('UNBLOCKED the stream key no longer exists')
const NO_TYPE = -1

/** What a client waits for. */
export interface KeyWait {
  /** Type of the value that it wants: TYPE_LIST, TYPE_ZSET or TYPE_STREAM. */
  readonly type: number
  /**
   * argv[keyIndex] holds such a value. Answers and returns true; or writes nothing and returns false: the value has
   * nothing for this client, which goes on waiting (streams). What it changes is propagated by `ctx.addEffect`;
   * `replaceEffect` and its like have no meaning here.
   */
  serve(ctx: Session, argv: Argv, keyIndex: number, reply: ReplyWriter): boolean
  /** It waits as member of a consumer group: when its stream goes, its waiting ends with an error. */
  readonly needsKey?: boolean
}

interface Waiter {
  readonly session: Session
  readonly db: Db
  readonly argv: Argv
  readonly wait: KeyWait
  readonly names: readonly string[]
}

/** Who waits for one key, the longest first, and which argument names it. */
interface KeyQueue {
  readonly key: Uint8Array
  readonly waiters: Map<Waiter, number>
}

interface ReadyKey {
  readonly db: Db
  readonly name: string
  readonly key: Uint8Array
}

/** Whether a client can be made to wait: not within EXEC and scripts, where an empty key counts as time that is over. */
export function mayWait(session: Session): boolean {
  return !session.has(DENY_BLOCKING | LOADER | FROM_MASTER)
}

export class KeyWaiters {
  private readonly engine: Engine
  private readonly byDb = new Map<Db, Map<string, KeyQueue>>()
  /** By type: how many clients wait for values of it. */
  private readonly waitersOfType: number[] = []
  private waiting = 0
  /** Keys to serve clients from, in the order in which they became ready. */
  private ready: ReadyKey[] = []
  /** The same, and those of the round under way, to signal none twice. */
  private readonly signalled = new Map<Db, Set<string>>()
  private serving = false
  private reply: ReplyWriter | null = null

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** Nobody waits for a key. */
  get isEmpty(): boolean {
    return this.waiting === 0
  }

  /** `serve` has something to do. */
  get hasReady(): boolean {
    return this.ready.length !== 0
  }

  get isServing(): boolean {
    return this.serving
  }

  /** To be called by a handler instead of replying: the client waits for argv[first, first + count). See `mayWait`. */
  wait(session: Session, argv: Argv, first: number, count: number, untilMs: number, wait: KeyWait): void {
    const { engine } = this
    const held = argv.copy()
    const names: string[] = []
    const waiter: Waiter = { session, db: session.db, argv: held, wait, names }
    for (let i = first; i < first + count; i++) {
      const name = held.latin1(i)
      const queue = this.queueOf(session.db, name) ?? this.addQueue(session.db, name, held.copyOf(i))
      // A key that is named twice is waited for once.
      if (queue.waiters.has(waiter)) continue
      queue.waiters.set(waiter, i)
      names.push(name)
    }
    this.waitersOfType[wait.type] = (this.waitersOfType[wait.type] ?? 0) + 1
    this.waiting++
    this.updateAnnouncements()
    engine.blocking.block(session, {
      untilMs,
      argv: held,
      timedOut: (reply) => reply.nullArray(),
      ended: () => this.leave(waiter),
    })
  }

  /** A key holds something new of this type, or is no longer what clients of this type wait for. */
  signal(db: Db, bytes: Uint8Array, start: number, length: number, type: number): void {
    if (this.waiting === 0 || !this.isWanted(type)) return
    const queues = this.byDb.get(db)
    if (queues === undefined) return
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1')
    const queue = queues.get(name)
    if (queue !== undefined) this.makeReady(db, name, queue.key)
  }

  /** The keyspace tells of a key that was not there before. */
  added(db: Db, bytes: Uint8Array, start: number, length: number): void {
    if (!this.byDb.has(db)) return
    const entry = db.peekOverdue(bytes, start, length)
    if (entry !== NO_KEY) this.signal(db, bytes, start, length, db.typeOf(entry))
  }

  /** The keyspace tells of a stream that is about to go. */
  streamGone(db: Db, entry: Ref): void {
    this.signal(db, db.bytesOf(entry), db.keyAt(entry), db.keyLength(entry), TYPE_STREAM)
  }

  /** To be called before all keys of a database go (`replacedBy` null), or become those of another: some clients wait for streams. */
  beforeReplaced(db: Db, replacedBy: Db | null): void {
    if (!this.isWanted(TYPE_STREAM)) return
    for (const [name, { key }] of this.byDb.get(db) ?? []) {
      const willBeStream = replacedBy !== null && typeAt(replacedBy, key) === TYPE_STREAM
      if (typeAt(db, key) === TYPE_STREAM && !willBeStream) this.makeReady(db, name, key)
    }
  }

  /** To be called when a database has other keys than before (SWAPDB, a data set that took the place of another). */
  replaced(db: Db): void {
    for (const [name, { key }] of this.byDb.get(db) ?? []) {
      const type = typeAt(db, key)
      if (type !== NO_TYPE && this.isWanted(type)) this.makeReady(db, name, key)
    }
  }

  /** Serves clients from the keys that are ready. To be called by the engine alone (see Engine.serveReadyKeys). */
  serve(): void {
    const { clock } = this.engine
    this.serving = true
    while (this.ready.length !== 0) {
      const round = this.ready
      this.ready = []
      for (const { db, name, key } of round) {
        this.signalled.get(db)!.delete(name)
        clock.refresh()
        this.serveKey(db, name, key)
        if (this.engine.isStopped) return
      }
    }
    this.serving = false
  }

  private serveKey(db: Db, name: string, key: Uint8Array): void {
    const { clock } = this.engine
    // Time stands still while a key is served: it does not expire under the hands of those who wait.
    const { nowMs } = clock
    // Looked at even if nobody waits any more: a key that is overdue goes.
    const type = liveTypeAt(db, key)
    const queue = this.queueOf(db, name)
    if (queue === undefined) return
    if (type !== NO_TYPE) {
      for (const [waiter, index] of queue.waiters) {
        if (waiter.wait.type !== type) continue
        this.serveWaiter(waiter, index)
        clock.nowMs = nowMs
        if (liveTypeAt(db, key) !== type) break
      }
    }
    if (type === TYPE_STREAM || !this.isWanted(TYPE_STREAM)) return
    for (const waiter of queue.waiters.keys()) {
      if (waiter.wait.type !== TYPE_STREAM || waiter.wait.needsKey !== true) continue
      this.answer(waiter, (reply) => {
        reply.error(ERR_STREAM_GONE)
        return true
      })
      clock.nowMs = nowMs
    }
  }

  private serveWaiter(waiter: Waiter, index: number): void {
    this.answer(waiter, (reply) => waiter.wait.serve(waiter.session, waiter.argv, index, reply))
  }

  /** Runs what answers a client, as a command of its own: its effects belong together, and its figures are the command's. */
  private answer(waiter: Waiter, write: (reply: ReplyWriter) => boolean): void {
    const { engine } = this
    const { session, argv } = waiter
    const reply = this.replyWriter()
    reply.protocol = session.protocol
    const errorsBefore = reply.errors
    engine.clock.refresh()
    const startUs = engine.clock.monotonicUs
    let isAnswered = false
    try {
      isAnswered = engine.asCommand(() => write(reply))
    } catch (error) {
      if (!(error instanceof ArenaFullError)) return engine.fail(error, session)
      reply.clear()
      reply.error(ERR_OOM)
      isAnswered = true
    }
    if (isAnswered) {
      const bytes = reply.takeBytes()
      engine.blocking.answer(session, (out) => out.raw(bytes))
      engine.clock.refresh()
      engine.timing.countUnblocked(session, argv, engine.clock.monotonicUs - startUs, reply.errors !== errorsBefore)
    }
    engine.effects.flush()
  }

  /** A writer of its own: while a reply is written, messages to others may be encoded. */
  private replyWriter(): ReplyWriter {
    if (this.reply === null) {
      this.reply = new ReplyWriter()
      this.reply.onError = (code) => this.engine.statistics.countError(code)
    }
    return this.reply
  }

  private isWanted(type: number): boolean {
    return (this.waitersOfType[type] ?? 0) > 0
  }

  private makeReady(db: Db, name: string, key: Uint8Array): void {
    let names = this.signalled.get(db)
    if (names === undefined) this.signalled.set(db, (names = new Set()))
    if (names.has(name)) return
    names.add(name)
    this.ready.push({ db, name, key })
  }

  private queueOf(db: Db, name: string): KeyQueue | undefined {
    return this.byDb.get(db)?.get(name)
  }

  private addQueue(db: Db, name: string, key: Uint8Array): KeyQueue {
    let queues = this.byDb.get(db)
    if (queues === undefined) this.byDb.set(db, (queues = new Map()))
    const queue: KeyQueue = { key, waiters: new Map() }
    queues.set(name, queue)
    return queue
  }

  private leave(waiter: Waiter): void {
    const { db, names, wait } = waiter
    const queues = this.byDb.get(db)!
    for (const name of names) {
      const { waiters } = queues.get(name)!
      waiters.delete(waiter)
      if (waiters.size === 0) queues.delete(name)
    }
    if (queues.size === 0) this.byDb.delete(db)
    this.waitersOfType[wait.type]!--
    this.waiting--
    this.updateAnnouncements()
  }

  /** The keyspace tells of new keys and of streams that go only while somebody wants to know. */
  private updateAnnouncements(): void {
    this.engine.updateAnnouncements()
    this.engine.keyspace.announcesStreams = this.isWanted(TYPE_STREAM)
  }
}

function typeAt(db: Db, key: Uint8Array): number {
  const entry = db.peekOverdue(key, 0, key.length)
  return entry === NO_KEY ? NO_TYPE : db.typeOf(entry)
}

/** As `typeAt`, of a key that is not overdue. */
function liveTypeAt(db: Db, key: Uint8Array): number {
  const entry = db.peek(key, 0, key.length)
  return entry === NO_KEY ? NO_TYPE : db.typeOf(entry)
}
