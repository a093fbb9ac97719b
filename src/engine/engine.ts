/**
 * The engine: request bytes in, reply bytes and effects out. It opens no socket and no file and reads no clock but the
 * one it was given, so that a server can be run, tested and simulated anywhere.
 *
 *   receive -> parse -> process (the questions before a command) -> call (the command and its figures) -> flush
 *
 * A request that needs no question goes straight from `process` to `call`; any reason to look closer is a bit in
 * `gate`, of the engine or of the session, and leads through dispatch.ts.
 * Hot path: bench/micro/receive.ts.
 */
import { Argv } from '../base/argv.ts'
import type { Clock } from '../base/clock.ts'
import { INT64_TEXT_BYTES_MAX } from '../base/int64-text.ts'
import { reprText } from '../base/quoting.ts'
import type { Random } from '../base/random.ts'
import type { Db } from '../keyspace/db.ts'
import { EXPIRE_DELETE, EXPIRE_HIDE, EXPIRE_IGNORE } from '../keyspace/entry.ts'
import { Keyspace } from '../keyspace/keyspace.ts'
import type { ValueType } from '../keyspace/value-type.ts'
import { ArenaFullError } from '../memory/arena.ts'
import { ERR_MISCONF, ERR_OOM, type ErrorReply } from '../resp/errors.ts'
import { type ReplyMark, ReplyWriter } from '../resp/reply-writer.ts'
import { COMPLETE, INCOMPLETE, RequestParser } from '../resp/request-parser.ts'
import { Blocking } from './blocking.ts'
import { clientInfo } from './client-info.ts'
import { ClientMemory } from './client-memory.ts'
import { ClientPause } from './client-pause.ts'
import type { Command } from './command.ts'
import { CommandQueue } from './command-queue.ts'
import { type CommandEntry, CommandTable } from './command-table.ts'
import { CommandTiming } from './command-timing.ts'
import { processClosely, requestOver } from './dispatch.ts'
import { EffectStream, TO_ALL, TO_REPLICAS } from './effects.ts'
import { Eviction } from './eviction.ts'
import { NO_ASYNC_LOADING, PROTECTED, TOUCHES_ARBITRARY_KEYS } from './flags.ts'
import { GATE_AUTH, GATE_MAXMEMORY } from './gates.ts'
import { KeyWaiters } from './key-waiters.ts'
import { KeyspaceNews } from './keyspace-news.ts'
import { LatencyMonitor } from './latency-monitor.ts'
import { feedMonitors } from './monitor.ts'
import { NOTIFY_NEW } from './notifications.ts'
import { isOverOutputLimit, outputLimit, replyCheckBytes } from './output-limits.ts'
import { PubSub, publishKeyEvent } from './pubsub.ts'
import type { ReplicationSeam, RequestSource } from './replication-seam.ts'
import {
  BLOCKED,
  CLOSE_AFTER_REPLY,
  CLOSE_ASAP,
  DIRTY_CAS,
  DIRTY_EXEC,
  EFFECT_NONE,
  EFFECT_REPLACED,
  EFFECT_REPLICATED,
  EFFECT_REQUEST,
  FROM_MASTER,
  IN_MULTI,
  Inbox,
  LOADER,
  MONITOR,
  OUTPUT_STALLED,
  type OutputSink,
  PROTOCOL_FAILED,
  REPLICA,
  REPLY_OFF,
  REPLY_SKIP,
  RESUMES,
  Session,
} from './session.ts'
import { EngineSettings } from './settings.ts'
import { Slowlog } from './slowlog.ts'
import { Statistics } from './statistics.ts'
import { EXPECTS_NO_ERRORS, noteUnexpectedError } from './unexpected-error.ts'
import { WatchTable } from './watch.ts'

/** Replies are sent on when this much has gathered, so that a long pipeline needs no buffer of its length. */
const FLUSH_BYTES = 256 * 1024
/**
 * A client whose unread output passes this is not read from until it reads: the answer to clients without an output
 * limit of their own (class normal has none by default). Far above what pipelining clients leave unread.
 */
const OUTPUT_STALL_BYTES = 128 * 1024 * 1024
/** Held replies up to this length leave by way of the buffer that new ones are written to. */
const HELD_SMALL_BYTES_MAX = 2048
/** Messages to one client are joined into writes of up to this size. */
const JOINED_BYTES_MAX = 64 * 1024
/** How much of a client's input the log shows. */
const QUERY_SAMPLE_BYTES = 64
const PROTOCOL_SAMPLE_BYTES = 128
/** First capacity of an inbox. */
const INBOX_BYTES = 16 * 1024
const SUSPENDED = BLOCKED | OUTPUT_STALLED | CLOSE_ASAP | CLOSE_AFTER_REPLY

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning'

export interface EngineOptions {
  readonly clock: Clock
  readonly random: Random
  readonly databases: number
  readonly commands: readonly Command[]
  readonly types?: readonly ValueType[]
  readonly settings?: EngineSettings
  /** Log lines; nowhere by default. */
  readonly log?: (level: LogLevel, message: string) => void
  /** Whether lines of a level are written: for those that cost something to make. */
  readonly isLogged?: (level: LogLevel) => boolean
  /** A bug was hit: the server must stop. Default: throw. */
  readonly onFatal?: (error: unknown, session: Session | null) => void
}

/** Memory that is neither data nor clients' own: what replicas and the append-only file have yet to take. */
export interface BufferMemory {
  readonly usedBytes: number
  /** The part that eviction does not count, since eviction itself makes it grow. */
  readonly uncountedBytes: number
}

/** Who must make safe what replies acknowledge before they leave: the append-only file. */
export interface ReplyGuard {
  /** Counts what was recorded; only grows. */
  readonly recorded: number
  /** Up to where it is safe. */
  readonly safe: number
}

export class Engine {
  readonly clock: Clock
  readonly random: Random
  readonly settings: EngineSettings
  readonly keyspace: Keyspace
  readonly commands: CommandTable
  readonly effects = new EffectStream()
  readonly watch = new WatchTable()
  readonly pubsub = new PubSub()
  readonly pause: ClientPause
  readonly blocking: Blocking
  readonly keyWaiters: KeyWaiters
  readonly slowlog: Slowlog
  readonly latency: LatencyMonitor
  readonly timing: CommandTiming
  readonly statistics: Statistics
  readonly eviction: Eviction
  readonly clientMemory: ClientMemory
  /** Whoever holds buffers that count as used memory adds itself. */
  readonly buffers: BufferMemory[] = []
  /** While there is one, replies to what it records wait for it; others do not. */
  replyGuard: ReplyGuard | null = null
  /** What writing commands are told while GATE_DISK_ERROR is closed. */
  diskError: ErrorReply = ERR_MISCONF
  readonly sessions = new Map<number, Session>()
  readonly monitors = new Set<Session>()
  readonly log: (level: LogLevel, message: string) => void
  readonly isLogged: (level: LogLevel) => boolean
  /** Bits GATE_*: zero lets commands pass without further questions. */
  gate = 0
  /** Commands with one of these flags are looked at closely whatever the gates say. */
  guardedFlags = PROTECTED
  /** A master's data is being loaded beside the data that clients see. */
  private loadsAside = false
  replication: ReplicationSeam | null = null
  /** How many replicas have all that a client wrote. There are none until replication says otherwise. */
  acknowledgingReplicas: (session: Session) => number = () => 0
  /** Where commands write a number's text before they store it. */
  readonly numberText = new Uint8Array(INT64_TEXT_BYTES_MAX)
  /** Replies of the batch under way. */
  readonly reply = new ReplyWriter()
  /** Whose batch that is. */
  private receiving: Session | null = null
  /** Who executes the command of a file that is under way. */
  private replaying: Session | null = null
  private readonly parser: RequestParser
  private readonly scratch = new ReplyWriter()
  private readonly toFlush = new Set<Session>()
  /** Clients with replies that wait for the guard. */
  private readonly toRelease = new Set<Session>()
  /** What the guard had recorded when the batch under way began. */
  private guardBase = 0
  /** Clients that may go on, once the batch under way is over. */
  private readonly toResume = new Set<Session>()
  private isResuming = false
  /** From here on the replies of the batch under way are dropped: CLIENT REPLY OFF. */
  private mutedAt: ReplyMark | null = null
  /** Messages that came while replies were dropped; they are not. */
  private mutedPushes: Uint8Array[] = []
  /** Pending replies above this are looked at after each command: to be sent on, or held against the output limits. */
  private replyCheckBytes = FLUSH_BYTES
  /** Unread input of the batch under way, as it was when the batch began. */
  private batchBytes = 0
  private readonly onFatal: (error: unknown, session: Session | null) => void
  private nextSessionId = 1
  /** FLUSHALL has emptied all databases. */
  onDataFlushed: (() => void) | null = null
  /** When an attack was last written to the log. */
  attackLoggedMs = 0
  /** Depth of commands that run commands (EXEC, scripts). */
  private depth = 0
  /** Error replies that some command was already found guilty of: what runs a failing command has not failed itself. */
  private errorsCounted = 0
  private stopped = false

  constructor(options: EngineOptions) {
    this.clock = options.clock
    this.random = options.random
    this.settings = options.settings ?? new EngineSettings()
    this.keyspace = new Keyspace(options.clock, options.random, options.databases, options.types ?? [])
    this.keyspace.listener = new KeyspaceNews(this)
    this.commands = new CommandTable(options.commands)
    this.log = options.log ?? (() => {})
    this.isLogged = options.isLogged ?? (() => options.log !== undefined)
    this.onFatal =
      options.onFatal ??
      ((error) => {
        throw error
      })
    this.parser = new RequestParser(this.settings)
    this.statistics = new Statistics(options.clock)
    this.slowlog = new Slowlog(this.settings)
    this.latency = new LatencyMonitor(this.settings, options.clock)
    this.timing = new CommandTiming(options.clock, this.settings, this.slowlog, this.latency)
    this.pause = new ClientPause(this)
    this.blocking = new Blocking(this)
    this.keyWaiters = new KeyWaiters(this)
    this.eviction = new Eviction(this)
    this.clientMemory = new ClientMemory(this)
    this.reply.onError = (code, text) => {
      this.statistics.countError(code)
      const session = this.replaying ?? this.receiving
      if (session?.has(EXPECTS_NO_ERRORS)) noteUnexpectedError(this, session, text)
    }
    // What is encoded apart may be the reply of a command that had to wait, and that may be an error.
    this.scratch.onError = (code) => this.statistics.countError(code)
    this.settingsChanged()
  }

  /** To be called after `settings` were changed. */
  settingsChanged(): void {
    const { settings } = this
    this.timing.settingsChanged()
    this.setGate(GATE_MAXMEMORY, settings.maxmemoryBytes > 0)
    this.clientMemory.configure(settings.maxmemoryClients, settings.maxmemoryBytes)
    // With a password set anew, who has not given one is stopped at the gate again.
    for (const session of this.sessions.values()) if (!session.authenticated) session.gate |= GATE_AUTH
    this.updateAnnouncements()
    this.replyCheckBytes = replyCheckBytes(settings, FLUSH_BYTES)
  }

  /** The keyspace tells of new keys only while somebody listens. */
  updateAnnouncements(): void {
    this.keyspace.announcesNew = !this.keyWaiters.isEmpty || (this.settings.notifyFlags & NOTIFY_NEW) !== 0
  }

  setGate(bit: number, closed: boolean): void {
    if (closed) this.gate |= bit
    else this.gate &= ~bit
  }

  // Sessions

  /** A new client. Without a password set it is authenticated at once. */
  connect(sink: OutputSink | null, flags = 0): Session {
    const session = new Session(this, this.nextSessionId++, this.keyspace.databases[0]!)
    session.sink = sink
    session.flags = flags
    this.setAuthenticated(session, this.settings.password === '')
    this.sessions.set(session.id, session)
    return session
  }

  /** The data of a master is being loaded while clients see the old one: some commands have no place then. */
  setAsyncLoading(isLoading: boolean): void {
    this.loadsAside = isLoading
    this.setGuard(NO_ASYNC_LOADING, isLoading)
  }

  get isAsyncLoading(): boolean {
    return this.loadsAside
  }

  /** Commands that have `flag` are to be looked at closely, or need not be any more. */
  setGuard(flag: number, isGuarded: boolean): void {
    if (isGuarded) this.guardedFlags |= flag
    else this.guardedFlags &= ~flag | PROTECTED
  }

  setAuthenticated(session: Session, authenticated: boolean): void {
    session.authenticated = authenticated
    if (authenticated) session.gate &= ~GATE_AUTH
    else session.gate |= GATE_AUTH
  }

  /** Whether a client may run nothing but commands that authenticate it. */
  needsAuth(session: Session): boolean {
    return !session.authenticated && this.settings.password !== ''
  }

  /** The client is gone: whatever the engine holds for it goes too. */
  disconnect(session: Session): void {
    if (!this.sessions.delete(session.id)) return
    session.flags |= CLOSE_ASAP
    session.inbox = null
    session.spareInbox = null
    session.outbox = []
    session.outboxBytes = 0
    session.postponed = null
    if (session.queue.length > 0) session.queue = new CommandQueue()
    this.clientMemory.forget(session)
    this.watch.unwatchAll(session)
    this.pubsub.removeSession(session)
    this.monitors.delete(session)
    this.toFlush.delete(session)
    this.toRelease.delete(session)
    session.held = []
    session.heldBytes = 0
    this.toResume.delete(session)
    this.pause.forget(session)
    this.blocking.forget(session)
    if (this.replication !== null && session.has(REPLICA | FROM_MASTER)) this.replication.disconnected(session)
  }

  /** Ends a client from our side, after its replies have gone or at once. */
  close(session: Session, atOnce: boolean): void {
    if (session.has(CLOSE_ASAP)) return
    if (session === this.receiving) {
      session.flags |= atOnce ? CLOSE_ASAP : CLOSE_AFTER_REPLY
      // Commands of a transaction that come after this one have no reply any more.
      this.mute()
      return
    }
    if (!atOnce) this.flushOutbox(session)
    session.flags |= CLOSE_ASAP
    session.sink?.close(atOnce)
    this.disconnect(session)
  }

  // Input

  /** Executes what a client sent: bytes[0, length), valid during this call only. */
  receive(session: Session, bytes: Uint8Array, length: number): void {
    if (this.stopped) return
    const { clock } = this
    clock.refresh()
    this.timing.start()
    session.lastInteractionMs = clock.nowMs
    this.statistics.inputBytes += length
    this.statistics.reads++
    this.receiving = session
    if (this.replyGuard !== null) this.guardBase = this.replyGuard.recorded
    this.reply.protocol = session.protocol
    this.batchBytes = length
    if (length > session.inputPeakBytes) session.inputPeakBytes = length
    try {
      if (session.inbox !== null || (session.flags & SUSPENDED) !== 0) this.receiveIntoInbox(session, bytes, length)
      else {
        const { parser } = this
        parser.position = 0
        this.consume(session, parser, bytes, length)
        if (parser.position < length && (session.flags & (CLOSE_AFTER_REPLY | CLOSE_ASAP)) === 0) {
          this.openInbox(session, bytes, parser.position, length)
        }
      }
    } catch (error) {
      this.fail(error, session)
    }
    this.finishBatch(session)
  }

  /** Goes on with input that had to wait: after a pause, a blocking command, a full output. */
  resume(session: Session): void {
    if (this.stopped || (session.flags & SUSPENDED) !== 0) return
    if (session.inbox === null && session.postponed === null && session.source === null) return
    if (this.receiving !== null || this.keyWaiters.isServing) {
      session.flags |= RESUMES
      this.toResume.add(session)
      return
    }
    session.flags &= ~RESUMES
    this.clock.refresh()
    this.timing.start()
    this.receiving = session
    if (this.replyGuard !== null) this.guardBase = this.replyGuard.recorded
    this.reply.protocol = session.protocol
    const { source } = session
    // What its master does to a key it does whether the key is overdue here or not.
    if (source !== null) this.keyspace.expireMode = EXPIRE_IGNORE
    try {
      const { postponed } = session
      if (postponed !== null) {
        session.postponed = null
        this.process(session, postponed)
      }
      if (session.inbox !== null) this.consumeInbox(session)
      if (source !== null) this.consumeSource(session, source)
    } catch (error) {
      this.fail(error, session)
    }
    if (source !== null) this.keyspace.expireMode = this.restingExpireMode
    this.finishBatch(session)
  }

  /** The source of a session has further requests. */
  pull(session: Session): void {
    session.lastInteractionMs = this.clock.nowMs
    this.resume(session)
  }

  /** Executes one request: the questions before a command, and the command. Hot. */
  process(session: Session, argv: Argv): void {
    const entry = this.commands.lookup(argv)
    if (
      entry === null ||
      (session.gate | this.gate) !== 0 ||
      entry.subcommands !== null ||
      (entry.flags & this.guardedFlags) !== 0 ||
      (entry.arity > 0 ? argv.count !== entry.arity : argv.count < -entry.arity)
    ) {
      processClosely(this, session, entry, argv)
      return
    }
    session.lastCommand = entry
    this.call(session, entry, argv)
  }

  /** Runs a command that may run now, and does what follows from it. Also for commands within EXEC and scripts. */
  call(session: Session, entry: CommandEntry, argv: Argv): void {
    const { reply, keyspace, statistics } = this
    const dirtyBefore = keyspace.dirty
    this.errorsCounted = statistics.totalErrorReplies
    const exact = this.timing.isExact || !entry.sharesTime
    if (exact) this.timing.startExact()
    this.depth++
    try {
      entry.run(session, argv, reply)
    } catch (error) {
      this.fail(error, session)
    }
    this.depth--
    entry.calls++
    statistics.commands++
    if (statistics.totalErrorReplies > this.errorsCounted) {
      entry.failedCalls++
      this.errorsCounted = statistics.totalErrorReplies
    }
    const shown = session.redacted === null ? argv : withoutSecrets(session, argv)
    if (exact) this.timing.stopExact(session, entry, shown)
    else this.timing.share(session, entry, shown)
    if (this.monitors.size !== 0) feedMonitors(this, session, entry, shown)
    if (keyspace.dirty > dirtyBefore || session.effect !== EFFECT_REQUEST) {
      this.propagate(session, argv, keyspace.dirty > dirtyBefore)
    }
    if (this.depth === 0) {
      const { effects } = this
      if (effects.hasPending) effects.flush((entry.flags & TOUCHES_ARBITRARY_KEYS) === 0)
      session.writtenOffset = effects.offset
      if (this.keyWaiters.hasReady) this.serveReadyKeys()
    }
  }

  /** Serves clients whose keys have become ready: after each command, and by the cron for what came about outside of one. */
  serveReadyKeys(): void {
    const { keyWaiters } = this
    if (!keyWaiters.hasReady || keyWaiters.isServing || this.stopped) return
    this.timing.settle()
    keyWaiters.serve()
    this.timing.start()
    if (this.receiving === null && this.toResume.size !== 0 && !this.isResuming) this.resumeWaiting()
  }

  /** Runs a part of the server's work as a command runs: the effects of all that happens within belong together. */
  asCommand<Result>(work: () => Result): Result {
    this.depth++
    try {
      return work()
    } finally {
      this.depth--
    }
  }

  // Output

  /** Writes a message to a client, whoever's batch is under way; it leaves at the end of the batch. */
  send(session: Session, write: (reply: ReplyWriter) => void): void {
    if (session.has(CLOSE_ASAP)) return
    if (session === this.receiving && this.mutedAt === null) write(this.reply)
    else this.enqueue(session, this.encode(session.protocol, write))
  }

  /** Answers a client whose command had to wait. Unlike a message the reply is subject to CLIENT REPLY. */
  sendReply(session: Session, write: (reply: ReplyWriter) => void): void {
    if (!session.has(REPLY_OFF | REPLY_SKIP)) this.send(session, write)
  }

  /** As `send`, of bytes that are ready and stay as they are. */
  enqueue(session: Session, bytes: Uint8Array): void {
    if (session.has(CLOSE_ASAP)) return
    if (session === this.receiving) {
      if (this.mutedAt === null) this.reply.raw(bytes)
      else this.mutedPushes.push(bytes)
      return
    }
    session.outbox.push(bytes)
    session.outboxBytes += bytes.length
    this.toFlush.add(session)
    if (this.receiving === null) this.flushOthers()
    else if (session.outboxBytes > FLUSH_BYTES && session.sink !== null) this.checkOutput(session, session.sink)
  }

  /** Drops replies to the client under way from here on, until `unmute`. Messages stay. */
  mute(): void {
    this.mutedAt ??= this.reply.mark()
  }

  unmute(): void {
    const { mutedAt, mutedPushes, receiving } = this
    if (mutedAt === null || receiving?.has(CLOSE_AFTER_REPLY) === true) return
    this.mutedAt = null
    this.reply.rollback(mutedAt)
    this.reply.shrink()
    if (mutedPushes.length === 0) return
    this.mutedPushes = []
    for (const bytes of mutedPushes) this.reply.raw(bytes)
  }

  /** Bytes encoded once for all clients of a protocol version. */
  encode(protocol: number, write: (reply: ReplyWriter) => void): Uint8Array {
    this.scratch.protocol = protocol
    write(this.scratch)
    return this.scratch.takeBytes()
  }

  /** Whose batch is under way, for DEBUG and crash reports. */
  get activeSession(): Session | null {
    return this.receiving
  }

  /** What a client has sent that still counts as its query buffer. */
  unreadBytes(session: Session): number {
    if (session === this.receiving) return this.batchBytes
    return session.inbox === null ? 0 : session.inbox.unreadBytes
  }

  /** What a client has not read yet. */
  unsentBytes(session: Session): number {
    const queued = session.outboxBytes + session.heldBytes + (session.sink === null ? 0 : session.sink.queuedBytes)
    return session === this.receiving ? queued + this.reply.pendingBytes : queued
  }

  /** The network has taken a client's queued output. */
  drained(session: Session): void {
    if (this.clientMemory.isTracked) this.clientMemory.account(session)
    if (session.has(REPLICA)) this.replication?.drained(session)
    if (!session.has(OUTPUT_STALLED)) return
    session.flags &= ~OUTPUT_STALLED
    session.sink?.setReading(true)
    this.resume(session)
  }

  /** Effects that came about outside of a command leave at once. */
  flushLoneEffects(): void {
    if (this.depth === 0) this.effects.flush()
  }

  /** Publishes a keyspace event. The class must have been found enabled. */
  notify(eventClass: number, event: string, db: Db, bytes: Uint8Array, start: number, length: number): void {
    publishKeyEvent(this, eventClass, event, db, bytes, start, length)
  }

  /** Stops taking input for good: after a bug, or when the server closes. */
  stop(): void {
    this.stopped = true
  }

  get isStopped(): boolean {
    return this.stopped
  }

  /** A command runs within another: EXEC, scripts. */
  get isNested(): boolean {
    return this.depth > 1
  }

  /** What INFO shows as used_memory: data, clients, buffers. */
  get usedMemoryBytes(): number {
    let bytes = this.keyspace.arena.usedBytes + this.clientMemory.totalBytes
    for (const { usedBytes } of this.buffers) bytes += usedBytes
    return bytes
  }

  /** The part of it that maxmemory is not about. */
  get uncountedMemoryBytes(): number {
    let bytes = 0
    for (const { uncountedBytes } of this.buffers) bytes += uncountedBytes
    return bytes
  }

  /** What becomes of overdue keys: a master deletes them, unless the data is to stand still; a replica waits for its master. */
  get restingExpireMode(): number {
    return this.pause.isPaused || this.replication?.isReplica === true ? EXPIRE_HIDE : EXPIRE_DELETE
  }

  /** A pause has begun or ended, or the role has changed. */
  updateExpireMode(): void {
    if (this.keyspace.expireMode !== EXPIRE_IGNORE) this.keyspace.expireMode = this.restingExpireMode
  }

  /** Forgets the queued commands and watched keys of a session. */
  discardTransaction(session: Session): void {
    if (session.queue.length > 0) session.queue = new CommandQueue()
    session.queueFlags = 0
    session.queueMissingFlags = 0
    session.clearFlag(IN_MULTI | DIRTY_CAS | DIRTY_EXEC)
    this.watch.unwatchAll(session)
  }

  /** A bug. The client hears of it and this instance stops; others in the process go on. */
  fail(error: unknown, session: Session | null): void {
    if (error instanceof ArenaFullError) {
      this.reply.error(ERR_OOM)
      this.log('warning', `Out of memory: ${error.message}`)
      return
    }
    this.stopped = true
    this.onFatal(error, session)
  }

  private consume(session: Session, parser: RequestParser, bytes: Uint8Array, end: number): void {
    const { reply } = this
    parser.unauthenticated = (session.gate & GATE_AUTH) !== 0 && this.needsAuth(session)
    while (parser.position < end) {
      if ((session.flags & SUSPENDED) !== 0) return
      const start = parser.position
      const status = parser.parse(bytes, end)
      if (status !== COMPLETE) {
        if (status === INCOMPLETE) {
          // The rest goes to an inbox, where a parser of the session's own reads it from its start, once.
          if (parser === this.parser) {
            parser.reset()
            parser.position = start
          }
        } else this.refuse(session, parser, bytes, end)
        return
      }
      if (parser.argv.count === 0) {
        if (session.has(REPLICA)) this.replication?.heard(session)
        requestOver(session)
        continue
      }
      this.process(session, parser.argv)
      if (reply.pendingBytes > this.replyCheckBytes) this.repliesGathered(session)
      parser.unauthenticated = (session.gate & GATE_AUTH) !== 0 && this.needsAuth(session)
    }
  }

  /** As `consume`, of requests that are parsed already. */
  private consumeSource(session: Session, source: RequestSource): void {
    while ((session.flags & SUSPENDED) === 0) {
      const argv = source.next()
      if (argv === null) return
      this.process(session, argv)
      if (this.reply.pendingBytes > this.replyCheckBytes) this.flushReplies(session)
    }
  }

  private receiveIntoInbox(session: Session, bytes: Uint8Array, length: number): void {
    session.inbox ??= this.newInbox(session)
    if (this.keepInput(session, session.inbox, bytes, 0, length)) this.consumeInbox(session)
  }

  private openInbox(session: Session, bytes: Uint8Array, start: number, end: number): void {
    const inbox = this.newInbox(session)
    session.inbox = inbox
    if (this.keepInput(session, inbox, bytes, start, end) && (session.flags & SUSPENDED) === 0) {
      this.consumeInbox(session)
    }
  }

  private newInbox(session: Session): Inbox {
    const { spareInbox } = session
    session.spareInbox = null
    return spareInbox ?? new Inbox(new RequestParser(this.settings), INBOX_BYTES)
  }

  /** Returns false if that is more than the client may leave unread: then it is closed. */
  private keepInput(session: Session, inbox: Inbox, bytes: Uint8Array, start: number, end: number): boolean {
    const unreadBytes = inbox.unreadBytes + end - start
    this.batchBytes = unreadBytes
    if (unreadBytes <= this.settings.queryBufferBytesMax && inbox.append(bytes, start, end)) {
      if (unreadBytes > session.inputPeakBytes) session.inputPeakBytes = unreadBytes
      return true
    }
    const first = inbox.unreadBytes > 0 ? inbox.bytes.subarray(inbox.parser.position, inbox.end) : bytes.subarray(start)
    const initial = reprText(first, 0, Math.min(first.length, QUERY_SAMPLE_BYTES))
    this.log(
      'warning',
      `Closing client that reached max query buffer length: ${clientInfo(session)} (qbuf initial bytes: ${initial})`,
    )
    this.statistics.queryBufferDisconnections++
    this.close(session, true)
    return false
  }

  private consumeInbox(session: Session): void {
    const inbox = session.inbox!
    // What comes in pieces may be large, and then no command's cost is small: each is timed on its own.
    const { timing } = this
    const { isExact } = timing
    timing.isExact = true
    this.consume(session, inbox.parser, inbox.bytes, inbox.end)
    timing.isExact = isExact
    if (session.inbox !== inbox) return
    if (inbox.unreadBytes > 0 || !inbox.parser.isIdle) {
      if ((session.flags & SUSPENDED) === 0) inbox.prepare()
      return
    }
    // The cron gives its memory back once the client needs it no more.
    session.inbox = null
    inbox.clear()
    session.spareInbox = inbox
  }

  private refuse(session: Session, parser: RequestParser, bytes: Uint8Array, end: number): void {
    if (!session.has(REPLY_OFF | REPLY_SKIP)) this.reply.errorText(`ERR ${parser.error}`)
    session.flags |= CLOSE_AFTER_REPLY | PROTOCOL_FAILED
    this.log(
      'verbose',
      `Protocol error (${parser.errorDetail}) from client: ${clientInfo(session)}. ` +
        `Query buffer during protocol error: '${inputSample(bytes, parser.position, end)}'`,
    )
    parser.position = end
  }

  private finishBatch(session: Session): void {
    this.timing.settle()
    if (this.mutedAt !== null) {
      this.reply.rollback(this.mutedAt)
      this.reply.shrink()
      this.mutedAt = null
      this.mutedPushes = []
    }
    if (this.reply.pendingBytes > this.replyCheckBytes) this.repliesGathered(session)
    if ((session.flags & CLOSE_ASAP) !== 0) this.reply.clear()
    else this.flushReplies(session)
    this.receiving = null
    // A client that was closed as its replies left was muted, too; what comes next is another's.
    this.mutedAt = null
    this.mutedPushes = []
    if (this.toFlush.size !== 0) this.flushOthers()
    if ((session.flags & (CLOSE_AFTER_REPLY | CLOSE_ASAP)) !== 0) this.endAfterReplies(session)
    if (this.replyGuard !== null) this.guardBase = this.replyGuard.recorded
    if (this.clientMemory.isTracked) this.trackMemory(session)
    if (this.toResume.size !== 0 && !this.isResuming) this.resumeWaiting()
  }

  /** Ends a client that has its replies, or is to have none. */
  private endAfterReplies(session: Session): void {
    if (session.heldBytes > 0 && (session.flags & CLOSE_ASAP) === 0) return
    session.sink?.close((session.flags & CLOSE_ASAP) !== 0)
    this.disconnect(session)
  }

  private trackMemory(session: Session): void {
    const { clientMemory } = this
    if (!session.has(CLOSE_ASAP)) clientMemory.account(session)
    if (clientMemory.isOverLimit) clientMemory.evict()
  }

  private resumeWaiting(): void {
    this.isResuming = true
    for (const session of this.toResume) {
      this.toResume.delete(session)
      this.resume(session)
    }
    this.isResuming = false
  }

  /** The batch under way has many replies. A client with output limits is held against them as long as they gather. */
  private repliesGathered(session: Session): void {
    if (this.closedForReplies(session)) return
    if (outputLimit(session).hardBytes === 0 && this.reply.pendingBytes > FLUSH_BYTES) this.flushReplies(session)
  }

  /** Whether the client under way is to be closed, since it is above an output limit. */
  private closedForReplies(session: Session): boolean {
    if (session.has(CLOSE_ASAP)) return true
    const limit = outputLimit(session)
    const isLimited = limit.hardBytes > 0 || limit.softBytes > 0 || this.needsAuth(session)
    if (!isLimited || !isOverOutputLimit(session)) return false
    this.closeOverOutputLimit(session, 'scheduled to be closed ASAP')
    return true
  }

  /**
   * Between the commands of a transaction, which runs to its end whatever happens to its client: replies that nobody
   * will get do not gather until then.
   */
  transactionGoesOn(session: Session): void {
    if (session !== this.receiving) return
    if (this.mutedAt === null && this.reply.pendingBytes > this.replyCheckBytes) this.closedForReplies(session)
    if (this.mutedAt !== null) this.reply.rollback(this.mutedAt)
  }

  private flushReplies(session: Session): void {
    const { reply } = this
    const bytes = reply.pendingBytes
    if (bytes === 0) return
    const { sink } = session
    if (sink === null) return
    if ((session.flags & (REPLICA | MONITOR)) === REPLICA) {
      reply.clear()
      this.replication?.replied(session)
      return
    }
    if (this.replyGuard !== null && this.mustWait(session, this.replyGuard)) {
      this.hold(session, reply.takeBytes())
      return
    }
    if (bytes > session.replyPeakBytes) session.replyPeakBytes = Math.min(bytes, session.replyBufferBytes)
    this.statistics.outputBytes += bytes
    this.statistics.writes++
    sink.sendReplies(reply)
    reply.shrink()
    if (sink.queuedBytes !== 0) this.checkOutput(session, sink)
  }

  /** Whether output to a client must wait for what the batch under way has recorded, or follows what waits. */
  private mustWait(session: Session, guard: ReplyGuard): boolean {
    if (guard.recorded !== this.guardBase && !session.has(REPLICA)) {
      session.heldUntil = guard.recorded
      return true
    }
    return session.heldBytes > 0
  }

  private hold(session: Session, bytes: Uint8Array): void {
    session.held.push(bytes)
    session.heldBytes += bytes.length
    this.toRelease.add(session)
  }

  /** Up to where the guard has recorded what a client wrote. */
  recordedBy(session: Session): number {
    const { replyGuard } = this
    if (replyGuard === null || session !== this.receiving) return session.heldUntil
    return replyGuard.recorded === this.guardBase ? session.heldUntil : replyGuard.recorded
  }

  /** How many clients have replies that wait for the guard. */
  get heldClients(): number {
    return this.toRelease.size
  }

  /** The guard has come further: replies that waited for it leave. */
  releaseReplies(): void {
    const { reply } = this
    const safe = this.replyGuard?.safe ?? Number.POSITIVE_INFINITY
    for (const session of this.toRelease) {
      if (session.heldUntil > safe) continue
      this.toRelease.delete(session)
      const { held, heldBytes, sink } = session
      session.held = []
      session.heldBytes = 0
      if (sink === null) continue
      if (heldBytes > session.replyPeakBytes) session.replyPeakBytes = Math.min(heldBytes, session.replyBufferBytes)
      this.statistics.outputBytes += heldBytes
      if (heldBytes <= HELD_SMALL_BYTES_MAX && reply.pendingBytes === 0) {
        // As if they had just been made: a copy costs less than a write from an array of their own.
        for (const bytes of held) reply.append(bytes, 0, bytes.length)
        this.statistics.writes++
        sink.sendReplies(reply)
      } else {
        for (const bytes of joined(held, heldBytes)) {
          this.statistics.writes++
          sink.send(bytes)
        }
      }
      if (sink.queuedBytes !== 0) this.checkOutput(session, sink)
      if (session.has(CLOSE_AFTER_REPLY)) this.endAfterReplies(session)
      if (this.clientMemory.isTracked && !session.has(CLOSE_ASAP)) this.clientMemory.account(session)
    }
  }

  /** Executes a command of a file: nothing is asked, counted, propagated or answered. */
  replay(session: Session, entry: CommandEntry, argv: Argv): void {
    const { reply } = this
    const mark = reply.pendingBytes === 0 ? null : reply.mark()
    session.lastCommand = entry
    this.replaying = session
    this.depth++
    try {
      entry.run(session, argv, reply)
    } finally {
      this.depth--
      this.replaying = null
      session.effect = EFFECT_REQUEST
      session.effectArgv = null
      session.redacted = null
      this.effects.drop()
      if (mark === null) reply.clear()
      else reply.rollback(mark)
    }
  }

  private flushOthers(): void {
    for (const session of this.toFlush) {
      this.toFlush.delete(session)
      const sink = this.flushOutbox(session)
      if (sink === null) continue
      if (sink.queuedBytes !== 0) this.checkOutput(session, sink)
      if (this.clientMemory.isTracked && !session.has(CLOSE_ASAP)) this.clientMemory.account(session)
    }
  }

  /** Where the messages to a client went; null if there were none. */
  private flushOutbox(session: Session): OutputSink | null {
    const { sink, outbox, outboxBytes } = session
    session.outbox = []
    session.outboxBytes = 0
    if (sink === null || outbox.length === 0) return null
    if (this.replyGuard !== null && this.mustWait(session, this.replyGuard)) {
      for (const bytes of outbox) this.hold(session, bytes)
      return null
    }
    if (outboxBytes > session.replyPeakBytes) session.replyPeakBytes = Math.min(outboxBytes, session.replyBufferBytes)
    session.lastInteractionMs = this.clock.nowMs
    this.statistics.outputBytes += outboxBytes
    for (const bytes of joined(outbox, outboxBytes)) {
      this.statistics.writes++
      sink.send(bytes)
    }
    return sink
  }

  /** A client does not read as fast as it is written to: bounded by its class's limits, or by waiting. */
  private checkOutput(session: Session, sink: OutputSink): void {
    if (session.has(CLOSE_ASAP)) return
    if (isOverOutputLimit(session)) this.closeOverOutputLimit(session, 'scheduled to be closed ASAP')
    else if (sink.queuedBytes > OUTPUT_STALL_BYTES && !session.has(OUTPUT_STALLED)) {
      session.flags |= OUTPUT_STALLED
      sink.setReading(false)
    }
  }

  /** `how`: the log's words for it. */
  closeOverOutputLimit(session: Session, how: 'closed' | 'scheduled to be closed ASAP'): void {
    this.log('warning', `Client ${clientInfo(session)} ${how} for overcoming of output buffer limits.`)
    this.statistics.outputLimitDisconnections++
    this.close(session, true)
  }

  private propagate(session: Session, argv: Argv, changed: boolean): void {
    const { effect } = session
    session.effect = EFFECT_REQUEST
    if (!this.effects.isActive || session.has(LOADER) || effect === EFFECT_NONE) return
    if (effect === EFFECT_REPLACED) {
      this.effects.add(session.db.index, session.effectArgv!)
      session.effectArgv = null
    } else if (changed || effect !== EFFECT_REQUEST) {
      const targets = effect === EFFECT_REPLICATED && !changed ? TO_REPLICAS : TO_ALL
      if (this.depth === 0) this.effects.addLast(session.db.index, argv, targets)
      else this.effects.add(session.db.index, argv.copy(), targets)
    }
  }
}

/** The request as logs may show it. */
function withoutSecrets(session: Session, argv: Argv): Argv {
  const { redacted } = session
  session.redacted = null
  return Argv.of(Array.from({ length: argv.count }, (_, i) => (redacted!.includes(i) ? '(redacted)' : argv.copyOf(i))))
}

/** Unread input as the log shows it: its first and last bytes, and dots for what cannot be printed. */
function inputSample(bytes: Uint8Array, start: number, end: number): string {
  const printable = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(from, to))
      .toString('latin1')
      .replace(/[^ -~]/g, '.')
  const length = end - start
  if (length < PROTOCOL_SAMPLE_BYTES) {
    const zero = bytes.subarray(start, end).indexOf(0)
    return printable(start, zero < 0 ? end : start + zero)
  }
  const half = PROTOCOL_SAMPLE_BYTES / 2
  return `${printable(start, start + half)}' (... more ${length - PROTOCOL_SAMPLE_BYTES} bytes ...) '${printable(end - half, end)}`
}

/** Many small messages become few writes. */
function joined(messages: readonly Uint8Array[], totalBytes: number): readonly Uint8Array[] {
  if (messages.length === 1) return messages
  if (totalBytes <= JOINED_BYTES_MAX) return [Buffer.concat(messages, totalBytes)]
  const writes: Uint8Array[] = []
  let from = 0
  let bytes = 0
  for (const [index, message] of messages.entries()) {
    if (bytes > 0 && bytes + message.length > JOINED_BYTES_MAX) {
      writes.push(index - from === 1 ? messages[from]! : Buffer.concat(messages.slice(from, index), bytes))
      from = index
      bytes = 0
    }
    bytes += message.length
  }
  writes.push(messages.length - from === 1 ? messages[from]! : Buffer.concat(messages.slice(from), bytes))
  return writes
}
