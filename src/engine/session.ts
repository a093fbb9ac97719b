/**
 * A session: one client as the engine sees it, with or without a socket. Handlers get it as `ctx`.
 *
 * Everything a command needs to know of who runs it is here; nothing about "the current client" is global, so a script
 * or an embedded caller is just another session.
 */
import { Argv } from '../base/argv.ts'
import type { Db } from '../keyspace/db.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'
import type { RequestParser } from '../resp/request-parser.ts'
import { CommandQueue } from './command-queue.ts'
import type { CommandEntry } from './command-table.ts'
import type { Engine } from './engine.ts'
import type { RequestSource } from './replication-seam.ts'
import type { WatchedKey } from './watch.ts'

// Session flags
/** Between MULTI and EXEC. */
export const IN_MULTI = 1 << 0
/** A watched key changed: EXEC will fail. */
export const DIRTY_CAS = 1 << 1
/** A command was refused while queueing: EXEC will fail. */
export const DIRTY_EXEC = 1 << 2
/** Close once all replies are sent. */
export const CLOSE_AFTER_REPLY = 1 << 3
/** Close at once; nothing more is read or executed. */
export const CLOSE_ASAP = 1 << 4
export const MONITOR = 1 << 5
/** Subscribed to something. */
export const SUBSCRIBED = 1 << 6
/** CLIENT REPLY OFF. */
export const REPLY_OFF = 1 << 7
/** The reply of the command under way is dropped. */
export const REPLY_SKIP = 1 << 8
/** The next command's reply is dropped. */
export const REPLY_SKIP_NEXT = 1 << 9
/** Waits: for a key, for the end of CLIENT PAUSE. Input is kept, not executed. */
export const BLOCKED = 1 << 10
/** What it waits for is the end of a pause. */
export const POSTPONED = 1 << 11
/** Its output is too long for now: input waits until it is read. */
export const OUTPUT_STALLED = 1 << 12
/** CLIENT NO-EVICT. */
export const NO_EVICT = 1 << 13
/** Comes over a unix socket. */
export const UNIX_SOCKET = 1 << 14
/** This is our master: its commands are obeyed. */
export const FROM_MASTER = 1 << 15
export const REPLICA = 1 << 16
/** Loads a file: obeyed and not counted. */
export const LOADER = 1 << 17
/** In-process caller without a socket. */
export const EMBEDDED = 1 << 18
export const PROTOCOL_FAILED = 1 << 19
/** Every command must be answered at once: within EXEC and scripts nothing may block, subscribe or monitor. */
export const DENY_BLOCKING = 1 << 20
/** Does not wait any more and goes on when the batch under way is over. */
export const RESUMES = 1 << 21

// What becomes of a command's effect.
/** The request itself, if it changed data. */
export const EFFECT_REQUEST = 0
/** What the handler gave instead. */
export const EFFECT_REPLACED = 1
/** Nothing. */
export const EFFECT_NONE = 2
/** The request itself, even if no data changed. */
export const EFFECT_FORCED = 3
/** The request itself, for replicas alone if no data changed. */
export const EFFECT_REPLICATED = 4

/** How a session's output reaches its client. Implemented by sockets and by in-process callers. */
export interface OutputSink {
  /** Sends all that the writer holds and leaves it empty. */
  sendReplies(reply: ReplyWriter): void
  /** Sends bytes that stay as they are. */
  send(bytes: Uint8Array): void
  /** Accepted from us and not yet taken by the network. */
  readonly queuedBytes: number
  /** The same by the byte: a piece that has been taken in part counts with its rest. Missing where nobody knows. */
  readonly untakenBytes?: number
  /** Number of pieces in that queue. */
  readonly queuedChunks: number
  /** Ends the connection: after what is queued has been sent, or at once. */
  close(atOnce: boolean): void
  /** Stops or resumes reading. */
  setReading(reading: boolean): void
  /** Whether small writes leave at once; they do unless told otherwise. Missing where there is no TCP. */
  setNoDelay?(isOn: boolean): void
}

/** Offsets into an inbox are 32-bit integers. */
const INBOX_BYTES_MAX = 0x7fff_ffff
/** An argument of this size has a buffer of its own in Redis (PROTO_MBULK_BIG_ARG). */
const LARGE_ARGUMENT_BYTES = 32 * 1024
/** Up to this size the room for an argument is made at once when its length is known. */
const EAGER_BYTES_MAX = 1024 * 1024
/** Above it, a client must have sent the n-th part of an argument before room for all of it is made. */
const EAGER_RATIO = 8
/** Batches are not all of one size: beyond the first, a buffer has room for this share of it more. */
const BATCH_ROOM_SHARE = 4

/** Input that waits: the unread rest of a batch, or a request that is not whole. */
export class Inbox {
  readonly parser: RequestParser
  bytes: Uint8Array
  end = 0
  private readonly initialBytes: number

  constructor(parser: RequestParser, capacityBytes: number) {
    this.parser = parser
    this.initialBytes = capacityBytes
    this.bytes = new Uint8Array(capacityBytes)
  }

  get unreadBytes(): number {
    return this.end - this.parser.position
  }

  /** Returns false if there is no room to be had for so much. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start
    if (this.end + length > this.bytes.length && !this.makeRoom(length)) return false
    this.bytes.set(bytes.subarray(start, end), this.end)
    this.end += length
    return true
  }

  /**
   * Makes the room for a large argument as soon as it is announced, so that it counts as the client's memory before its
   * last byte is here. Without memory for it, that is found out when it comes.
   */
  prepare(): void {
    const { wantedBytes } = this.parser
    const comingBytes = wantedBytes - this.unreadBytes
    if (wantedBytes < LARGE_ARGUMENT_BYTES || comingBytes <= 0 || wantedBytes > EAGER_BYTES_MAX) return
    if (this.end + comingBytes > this.bytes.length) this.makeRoom(comingBytes)
  }

  /** Forgets all input and keeps the memory. */
  clear(): void {
    this.parser.reset()
    this.parser.position = 0
    this.end = 0
  }

  /** Gives memory back: goes on with a buffer that has room for what is kept and `freeBytes` more. */
  shrink(freeBytes: number): void {
    const keepFrom = this.keepFrom()
    this.moveTo(new Uint8Array(this.end - keepFrom + freeBytes), keepFrom)
  }

  /** Where the bytes begin that are still needed: those of the unfinished request, or what was not read at all. */
  private keepFrom(): number {
    const { argv, isIdle, position } = this.parser
    return isIdle || argv.count === 0 ? position : argv.starts[0]!
  }

  /** Drops what was read, and grows if that is not enough. */
  private makeRoom(length: number): boolean {
    const { parser } = this
    const keepFrom = this.keepFrom()
    const needed = this.end - keepFrom + length
    if (needed > INBOX_BYTES_MAX) return false
    // A large argument is collected in few steps into a buffer of its final size; one that is announced and never sent
    // costs no more than a multiple of what was sent.
    const whole = parser.position - keepFrom + parser.wantedBytes
    let capacity = Math.min(this.bytes.length * 2, INBOX_BYTES_MAX)
    if (whole > needed) capacity = whole <= EAGER_BYTES_MAX ? whole : Math.min(whole, needed * EAGER_RATIO)
    else if (whole === needed) capacity = 0
    // Little is kept of large batches: it moves to the front, and the buffer needs no more than room for a batch. A larger
    // one the cron would find too large, again and again.
    else if ((this.end - keepFrom) * 2 <= this.bytes.length) {
      capacity = needed <= this.bytes.length ? 0 : needed + Math.floor(needed / BATCH_ROOM_SHARE)
    }
    capacity = Math.max(capacity, needed, this.initialBytes)
    if (capacity <= this.bytes.length) this.moveTo(this.bytes, keepFrom)
    else {
      try {
        this.moveTo(new Uint8Array(capacity), keepFrom)
      } catch (error) {
        if (error instanceof RangeError) return false
        throw error
      }
    }
    return true
  }

  private moveTo(target: Uint8Array, keepFrom: number): void {
    if (target === this.bytes) target.copyWithin(0, keepFrom, this.end)
    else target.set(this.bytes.subarray(keepFrom, this.end))
    this.bytes = target
    this.end -= keepFrom
    this.parser.shift(keepFrom)
  }
}

/** Redis's static reply buffer: what CLIENT LIST shows as `rbs` of a client that has just connected. */
export const REPLY_BUFFER_BYTES = 16 * 1024

/** What ends a client's waiting before what it waits for has come. */
export type UnblockReason = 'timeout' | 'error'

export class Session {
  readonly id: number
  readonly engine: Engine
  db: Db
  /** 2 or 3, by HELLO. */
  protocol = 2
  flags = 0
  /** Bits GATE_*: zero lets commands pass without further questions. */
  gate = 0
  name = ''
  user = 'default'
  authenticated = false
  /** "ip:port", or the path of a unix socket with ":0". */
  address = ''
  localAddress = ''
  /** File descriptor as CLIENT LIST shows it; -1 without a socket. */
  fd = -1
  readonly createdMs: number
  lastInteractionMs: number
  /** What the network had yet to take when the cron last looked. */
  untakenBytesSeen = 0
  lastCommand: CommandEntry | null = null
  sink: OutputSink | null = null
  inbox: Inbox | null = null
  /** Has its requests if they do not come by `receive`. */
  source: RequestSource | null = null
  /** Of a session whose requests should not fail: told after the log was that one did. */
  onUnexpectedError: (() => void) | null = null
  /** How much of the stream to the replicas there was when its last command had run: what WAIT waits for. */
  writtenOffset = 0
  /** An inbox without input, kept until the cron takes its memory back: who sends one large value sends another. */
  spareInbox: Inbox | null = null
  /** The most input that waited to be executed since the cron last looked. */
  inputPeakBytes = 0
  /** Messages from others, to be sent at the end of the batch. */
  outbox: Uint8Array[] = []
  outboxBytes = 0
  /** Replies that wait for the engine's ReplyGuard, and up to where it must have come. */
  held: Uint8Array[] = []
  heldBytes = 0
  heldUntil = 0
  /** Its share in ClientMemory.totalBytes. */
  accountedBytes = 0
  /** When the soft output limit was first passed, monotonic microseconds; negative = it is not. */
  softLimitSinceUs = -1
  /** The size that Redis's reply buffer would have for a client with such output (see ClientsCron), and its peak. */
  replyBufferBytes = REPLY_BUFFER_BYTES
  replyPeakBytes = REPLY_BUFFER_BYTES
  /** When that peak was last forgotten. */
  replyPeakSinceMs = 0

  queue = new CommandQueue()
  /** Flags of all queued commands together, and of those that lack one. */
  queueFlags = 0
  queueMissingFlags = 0
  watched: WatchedKey[] = []
  readonly channels = new Set<string>()
  readonly patterns = new Set<string>()
  readonly shardChannels = new Set<string>()

  /** A request that waits for the end of a pause. */
  postponed: Argv | null = null
  /** Ends the waiting of a client that is blocked by a command: set by what blocked it. */
  unblock: ((reason: UnblockReason) => void) | null = null
  /** The request that waits then, and how long it ran before it had to. */
  waitArgv: Argv | null = null
  waitUsec = 0

  /** Arguments of the command under way that no log may show: passwords. */
  redacted: number[] | null = null

  effect = EFFECT_REQUEST
  effectArgv: Argv | null = null

  constructor(engine: Engine, id: number, db: Db) {
    this.engine = engine
    this.id = id
    this.db = db
    this.createdMs = engine.clock.nowMs
    this.lastInteractionMs = this.createdMs
  }

  /** Wall-clock milliseconds, as of the start of the batch. */
  get nowMs(): number {
    return this.engine.clock.nowMs
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0
  }

  /** A command changed the key at argv[index]: counted, told to watchers, announced as `event` (see notifications.ts). */
  changed(argv: Argv, index: number, eventClass: number, event: string): void {
    this.changedKey(argv.bytes, argv.starts[index]!, argv.lengths[index]!, eventClass, event)
  }

  /** As `changed`, for a key that is not an argument. */
  changedKey(bytes: Uint8Array, start: number, length: number, eventClass: number, event: string): void {
    const { engine } = this
    engine.keyspace.dirty++
    if (!engine.watch.isEmpty) engine.watch.touch(this.db, bytes, start, length)
    if (engine.settings.notifyFlags & eventClass) engine.notify(eventClass, event, this.db, bytes, start, length)
  }

  /** Tells watchers only: for commands that change several keys or announce nothing. */
  touched(db: Db, bytes: Uint8Array, start: number, length: number): void {
    const { watch } = this.engine
    if (!watch.isEmpty) watch.touch(db, bytes, start, length)
  }

  /** Announces an event only. */
  notify(eventClass: number, event: string, db: Db, bytes: Uint8Array, start: number, length: number): void {
    const { engine } = this
    if (engine.settings.notifyFlags & eventClass) engine.notify(eventClass, event, db, bytes, start, length)
  }

  /** Counts changes to the data that `changed` was not called for. */
  dirtied(changes: number): void {
    this.engine.keyspace.dirty += changes
  }

  /** Propagates this instead of the request. Nothing is built when nobody listens. */
  replaceEffect(parts: readonly (string | Uint8Array)[]): void {
    if (!this.engine.effects.isActive) return
    this.effect = EFFECT_REPLACED
    this.effectArgv = Argv.of(parts)
  }

  /** Propagates this beside the request (before it). */
  addEffect(parts: readonly (string | Uint8Array)[]): void {
    const { effects } = this.engine
    if (effects.isActive) effects.add(this.db.index, Argv.of(parts))
  }

  /** Propagates nothing for this request. */
  suppressEffect(): void {
    this.effect = EFFECT_NONE
  }

  /** Propagates the request even if it changed no data. */
  forceEffect(): void {
    this.effect = EFFECT_FORCED
  }

  /** Propagates the request to replicas even if it changed no data. */
  forceReplication(): void {
    this.effect = EFFECT_REPLICATED
  }

  /** The argument holds a password: the slow log and MONITOR show "(redacted)" instead. */
  redact(argIndex: number): void {
    this.redacted ??= []
    this.redacted.push(argIndex)
  }

  setFlag(flag: number): void {
    this.flags |= flag
  }

  clearFlag(flag: number): void {
    this.flags &= ~flag
  }
}
