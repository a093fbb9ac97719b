/**
 * Reads an RDB file into the databases, from bytes that come in pieces of any size.
 *
 *   room for bytes (makeRoom, received) -> run -> NEEDS_INPUT | PAUSED | LOADED
 *
 * `run` takes whole records as long as there are any, and may be told to pause; it holds no more of the file than a window.
 * A string that is larger than the window goes into its place in the arena piece by piece, a large collection element by
 * element. Nobody else may write to the databases between the first `run` and the last.
 *
 * Invariants: what is in the databases after an error is what stood before it; the caller throws it away.
 * Cost: one copy of each key and value, one walk over a bucket per key; the checksum is taken over whole windows.
 * Where it differs from Redis: values of module types and AUX data of modules cannot be used; the former refuse the file,
 * the latter are passed over with a line in the log. A key that is there twice is an error and not a crash.
 * Hot path: bench/micro/rdb.ts. Source: format.ts.
 */
import { latin1Text } from '../../base/byte-text.ts'
import { copyBytes } from '../../base/copy-bytes.ts'
import { Crc64 } from '../../base/crc64.ts'
import { CopySource } from '../../base/word-copy.ts'
import type { LogLevel } from '../../engine/engine.ts'
import { type Db, stringEncoding } from '../../keyspace/db.ts'
import { ENCODING_RAW, NO_KEY, TYPE_STRING } from '../../keyspace/entry.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { Ref } from '../../memory/arena.ts'
import { KEY_BYTES_MAX } from '../../structures/hash-table.ts'
import {
  ENCODED_LZF,
  MODULE_DOUBLE,
  MODULE_EOF,
  MODULE_FLOAT,
  MODULE_SINT,
  MODULE_STRING,
  MODULE_UINT,
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRETIME,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION,
  OPCODE_FUNCTION2,
  OPCODE_IDLE,
  OPCODE_MODULE_AUX,
  OPCODE_RESIZEDB,
  OPCODE_SELECTDB,
  OPCODE_SLOT_INFO,
  RDB_STRING,
  RDB_VERSION_MAX,
  RDB_VERSION_WITH_CHECKSUM,
  rdbTypeName,
  reportedTypeName,
} from './format.ts'
import { type FunctionLibraries, modernSource } from './functions.ts'
import { RdbError } from './rdb-error.ts'
import { ENCODED, RdbSource, SHORT } from './rdb-source.ts'
import { testDelayUs } from './test-delay.ts'
import type { RdbCodecs, ValueReading } from './type-codec.ts'
import { type KeyUsage, usageField } from './usage.ts'

// What `run` answers.
export const NEEDS_INPUT = 0
export const PAUSED = 1
export const LOADED = 2
export type LoadStatus = typeof NEEDS_INPUT | typeof PAUSED | typeof LOADED

export interface RdbLoadOptions {
  readonly codecs: RdbCodecs
  readonly functions: FunctionLibraries
  /** Where the data goes; those of the keyspace by default. */
  readonly databases?: readonly Db[] | undefined
  /** Told of each key that is dropped. */
  readonly onDropped?: ((dbIndex: number, key: Uint8Array) => void) | undefined
  /** Keys whose time has come are dropped: a master's own file. A replica keeps what its master sent. */
  readonly dropsExpired: boolean
  /** A key that is there already is replaced. */
  readonly replaces: boolean
  /** rdbchecksum: whether the checksum is compared. */
  readonly checksum: boolean
  readonly usage: KeyUsage
  /** key-load-delay, microseconds; below 0 one key in that many costs one. */
  readonly keyDelayUs: number
  log(level: LogLevel, message: string): void
}

const HEADER_BYTES = 9
const CHECKSUM_BYTES = 8
const WINDOW_BYTES = 1024 * 1024
/** Strings above this length are not waited for but copied as they come. */
const STREAMED_BYTES_MIN = 256 * 1024
/** The shortest record: type, an empty key, an empty value. More keys than fit in the rest of a file are not believed. */
const RECORD_BYTES_MIN = 3
/** Keys that room is made for when the length of the stream is not known. */
const RESERVED_KEYS_MAX = 4_000_000
/** key-load-delay is spent in pieces of this length: sleeping shorter is not possible. */
const DELAY_US_MIN = 1000
const EMPTY_KEYS_LOGGED = 10
/** As many loads as may be under way at once in a processor, with some to spare. */
const UNLINKED_MAX = 32
const REPLICATION_ID_LENGTH = 40
const TWO_32 = 0x1_0000_0000
const MODULE_NAME_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

// What is being read.
const AT_HEADER = 0
const AT_RECORD = 1
const IN_STRING = 2
const IN_COLLECTION = 3
const IN_MODULE_AUX = 4
const AT_CHECKSUM = 5
const AT_END = 6

export class RdbLoader {
  keysLoaded = 0
  keysExpired = 0
  /** What the file says its data needed in memory; 0 if it does not say. */
  usedMemoryBytes = 0
  /** Of the replication that the file was part of, as far as it says so. */
  replicationId = ''
  replicationOffset = -1
  replicationDbIndex = -1
  /** Time that key-load-delay asks for and that has not been spent yet, microseconds. The caller spends it and sets it to 0. */
  owedDelayUs = 0
  private readonly source = new RdbSource()
  private readonly keyspace: Keyspace
  private readonly options: RdbLoadOptions
  private readonly crc = new Crc64()
  /** Where in the window the checksum stands. */
  private crcAt = 0
  private state = AT_HEADER
  private version = 0
  private db: Db
  private readonly databases: readonly Db[]
  private readonly nowMs: number

  // Of the key that comes next.
  private hasExpire = false
  private expireLow = 0
  private expireHigh = 0
  private idleSeconds = -1
  private frequency = -1

  private readonly shortKey = new CopySource(new Uint8Array(32))
  private key = this.source.window
  private keyStart = 0
  private keyLength = 0

  // Entries that are not in a table yet, all of the database under way.
  private readonly unlinked = new Int32Array(UNLINKED_MAX)
  private readonly unlinkedHashes = new Int32Array(UNLINKED_MAX)
  private readonly unlinkedOffsets = new Float64Array(UNLINKED_MAX)
  private unlinkedCount = 0
  /** How many of them have been added since `linkAll` began. */
  private linkedCount = 0
  /** Only so that fetching has a result that somebody could want. */
  fetched = 0

  // A string on its way into the arena. Ref 0: its bytes are not wanted.
  private stringRef: Ref = 0
  private stringAt = 0
  private stringEnd = 0
  private collection: ValueReading | null = null

  /** What was being done, for the report of an error. */
  private doing = 'start'
  private valueType = -1
  private emptyKeys = 0

  /** `totalBytes` may be Infinity. */
  constructor(keyspace: Keyspace, options: RdbLoadOptions, totalBytes: number) {
    this.keyspace = keyspace
    this.options = options
    this.databases = options.databases ?? keyspace.databases
    this.db = this.databases[0]!
    this.nowMs = keyspace.clock.nowMs
    this.source.following = totalBytes
    this.source.useWindow(new Uint8Array(Math.max(HEADER_BYTES, Math.min(WINDOW_BYTES, totalBytes))))
  }

  /** How much of the stream has been taken. */
  get offset(): number {
    return this.source.offset
  }

  /** What was pushed and is none of the file's, once that has ended. */
  get rest(): Uint8Array {
    const { bytes, at, end } = this.source
    return bytes.slice(at, end)
  }

  /** The window: input goes to window[roomStart, window.length) after `makeRoom`. */
  get window(): Uint8Array {
    return this.source.bytes
  }

  get roomStart(): number {
    return this.source.end
  }

  /** Makes sure that there is room in the window, for what the record under way needs in particular. */
  makeRoom(): void {
    const { source } = this
    const { mark } = source
    if (mark > 0) {
      this.addToChecksum(mark)
      this.crcAt = 0
      source.bytes.copyWithin(0, mark, source.end)
      source.base += mark
      source.at -= mark
      source.end -= mark
      source.wanted -= mark
      source.mark = 0
    }
    const { length } = source.bytes
    if (source.end < length && source.wanted <= length) return
    // In a stream without an end only what has come is believed: the window may double, no more.
    const capacity =
      source.following === Number.POSITIVE_INFINITY
        ? Math.max(length * 2, Math.min(source.wanted, length * 2))
        : Math.max(source.wanted, Math.min(length * 2, source.end + source.following), source.end + 1)
    const larger = new Uint8Array(capacity)
    larger.set(source.bytes.subarray(0, source.end))
    source.useWindow(larger)
  }

  /** `count` bytes were written to the window's room. */
  received(count: number): void {
    this.source.end += count
    this.source.following -= count
  }

  /** Copies input into the window. */
  push(bytes: Uint8Array, start: number, end: number): void {
    const { source } = this
    source.wanted = Math.max(source.wanted, source.end + end - start)
    while (source.bytes.length - source.end < end - start) this.makeRoom()
    source.bytes.set(bytes.subarray(start, end), source.end)
    this.received(end - start)
  }

  /** No more input will come. Throws unless the file has ended. */
  endOfInput(): void {
    if (this.state === AT_END) return
    this.source.following = 0
    throw this.source.error('RDB_SHORT_READ', 'Unexpected EOF reading RDB file')
  }

  /** Reads on, until the window is used up or about `bytesMax` bytes have been taken. Throws an RdbError. */
  run(bytesMax: number): LoadStatus {
    try {
      const status = this.readUntil(this.source.offset + bytesMax)
      this.linkAll()
      if (status === LOADED) this.finish()
      return status
    } catch (error) {
      for (let i = this.linkedCount; i < this.unlinkedCount; i++) this.keyspace.releaseEntry(this.unlinked[i]!)
      this.unlinkedCount = 0
      throw error
    }
  }

  private readUntil(pauseAt: number): LoadStatus {
    const { source } = this
    for (;;) {
      source.mark = source.at
      const isWhole = this.state === AT_RECORD ? this.readRecord() : this.readOther()
      if (!isWhole) {
        source.at = source.mark
        return NEEDS_INPUT
      }
      if (this.state === AT_END) return LOADED
      if (source.offset >= pauseAt || this.owedDelayUs >= DELAY_US_MIN) return PAUSED
    }
  }

  /** What was being read, in the lines of redis-check-rdb. */
  report(error: RdbError): string[] {
    const lines = [
      '--- RDB ERROR DETECTED ---',
      `[offset ${error.offset}] ${error.message}`,
      `[additional info] While doing: ${this.doing}`,
    ]
    if (this.doing === 'read-object-value') {
      const { key, keyStart, keyLength } = this
      lines.push(`[additional info] Reading key '${latin1Text(key.bytes, keyStart, keyStart + keyLength)}'`)
    }
    if (this.valueType >= 0) {
      lines.push(`[additional info] Reading type ${this.valueType} (${reportedTypeName(this.valueType)})`)
    }
    // The one whose value is wrong counts as read.
    const keysRead = this.keysLoaded + this.keysExpired + (this.doing === 'read-object-value' ? 1 : 0)
    lines.push(`[info] ${keysRead} keys read`, `[info] ${this.keysExpired} already expired`)
    return lines
  }

  // Records. All of these return false when they run short, and are then called again from the mark.

  private readRecord(): boolean {
    const { source } = this
    const opcode = source.readByte()
    if (opcode === RDB_STRING) return this.readStringRecord()
    if (opcode === SHORT) return false
    if (opcode >= OPCODE_SLOT_INFO) return this.readOpcode(opcode)
    return this.readCollectionRecord(opcode)
  }

  private readStringRecord(): boolean {
    const { source } = this
    this.doing = 'read-key'
    this.valueType = RDB_STRING
    if (!this.readKey()) return false
    this.doing = 'read-object-value'
    const length = source.readLength()
    if (length >= 0) {
      const { at } = source
      if (length <= source.end - at) {
        source.at = at + length
        if (!this.isDropped()) this.addString(source.window, at, length)
      } else {
        source.checkStringLength(length)
        source.has(length)
        if (length < STREAMED_BYTES_MIN) return false
        this.stringRef = this.isDropped() ? NO_KEY : this.add(TYPE_STRING, ENCODING_RAW, length)
        this.stringAt = 0
        this.stringEnd = length
        this.state = IN_STRING
        return true
      }
    } else if (length === SHORT) return false
    else if (length === ENCODED - ENCODED_LZF) {
      if (!source.readCompressedHeader()) return false
      if (this.isDropped()) source.readUnwanted()
      else this.addCompressed()
    } else {
      if (!source.readEncoded(ENCODED - length)) return false
      if (!this.isDropped()) this.addString(source.text, source.textStart, source.textLength)
    }
    this.finishKey()
    return true
  }

  /** The key of a record; it stays where it is until the record ends. */
  private readKey(): boolean {
    const { source } = this
    const length = source.readLength()
    if (length >= 0) {
      this.checkKeyLength(length)
      if (!source.has(length)) return false
      this.key = source.window
      this.keyStart = source.at
      this.keyLength = length
      source.at += length
      return true
    }
    if (length === SHORT || !source.readEncoded(ENCODED - length)) return false
    const { text, textStart, textLength } = source
    this.checkKeyLength(textLength)
    // The value may need the place that the key was unpacked to.
    this.key = textLength <= this.shortKey.bytes.length ? this.shortKey : new CopySource(new Uint8Array(textLength))
    copyBytes(text.bytes, textStart, this.key.bytes, 0, textLength)
    this.keyStart = 0
    this.keyLength = textLength
    return true
  }

  private addString(from: CopySource, at: number, length: number): void {
    const { db } = this
    const entry = this.add(TYPE_STRING, stringEncoding(from.bytes, at, length), length)
    from.copy(at, db.bytesOf(entry), this.keyspace.arena.viewData(entry), db.valueAt(entry), length)
  }

  private addCompressed(): void {
    const { source, db } = this
    const { plainBytes } = source
    const entry = this.add(TYPE_STRING, ENCODING_RAW, plainBytes)
    const at = db.valueAt(entry)
    source.unpack(this.keyspace.arena.viewData(entry), at)
    db.setEncoding(entry, stringEncoding(db.bytesOf(entry), at, plainBytes))
  }

  private continueString(): boolean {
    const { source } = this
    const count = Math.min(source.end - source.at, this.stringEnd - this.stringAt)
    if (count === 0) return source.has(1)
    if (this.stringRef !== NO_KEY) {
      const at = this.db.valueAt(this.stringRef) + this.stringAt
      copyBytes(source.bytes, source.at, this.db.bytesOf(this.stringRef), at, count)
    }
    source.at += count
    this.stringAt += count
    if (this.stringAt < this.stringEnd) return true
    this.state = AT_RECORD
    this.finishKey()
    return true
  }

  private readCollectionRecord(type: number): boolean {
    const { source } = this
    this.doing = 'read-type'
    this.valueType = type
    const codec = this.options.codecs.forRdbType(type)
    if (codec === undefined) {
      source.at = source.mark
      const name = rdbTypeName(type)
      if (name === undefined) throw source.error('RDB_UNKNOWN_TYPE', `Unknown RDB encoding type ${type}`)
      throw source.error('RDB_UNSUPPORTED_TYPE', `Values of type ${type} (${name}) are not supported by this version`)
    }
    this.doing = 'read-key'
    if (!this.readKey()) return false
    this.doing = 'read-object-value'
    // The window moves on while the value is read.
    this.key = new CopySource(this.key.bytes.slice(this.keyStart, this.keyStart + this.keyLength))
    this.keyStart = 0
    this.collection = codec.read(type)
    this.state = IN_COLLECTION
    return true
  }

  private continueCollection(): boolean {
    const collection = this.collection!
    if (!collection.proceed(this.source)) return false
    this.collection = null
    this.state = AT_RECORD
    if (collection.isEmpty || this.isDropped()) {
      if (collection.isEmpty) this.skipEmpty()
      collection.discard()
    } else this.add(this.options.codecs.forRdbType(this.valueType)!.type, collection.encoding, collection.root)
    this.finishKey()
    return true
  }

  private skipEmpty(): void {
    if (this.emptyKeys++ >= EMPTY_KEYS_LOGGED) return
    this.options.log('warning', `rdbLoadObject skipping empty key: ${latin1Text(this.key.bytes, 0, this.keyLength)}`)
  }

  /** Makes an entry of the key that was read; `value` as Db.makeUnlinked takes it. */
  private add(type: number, encoding: number, value: number): Ref {
    const { db } = this
    if (this.unlinkedCount === UNLINKED_MAX) this.linkAll()
    const entry = db.makeUnlinked(
      this.key,
      this.keyStart,
      this.keyLength,
      type,
      encoding,
      value,
      this.hasExpire,
      this.expireLow,
      this.expireHigh,
      this.idleSeconds >= 0 || this.frequency >= 0 ? this.lruField() : -1,
    )
    const index = this.unlinkedCount++
    this.unlinked[index] = entry
    this.unlinkedHashes[index] = this.keyspace.table.hashOf(this.key.bytes, this.keyStart, this.keyLength)
    this.unlinkedOffsets[index] = this.source.offset
    this.keysLoaded++
    return entry
  }

  /**
   * Adds the entries made since the last time to the database. Each needs another bucket, which is far away in memory;
   * asking for all of them first lets the processor fetch them side by side.
   */
  private linkAll(): void {
    const { db, unlinked, unlinkedHashes } = this
    const count = this.unlinkedCount
    let fetched = 0
    for (let i = 0; i < count; i++) fetched ^= db.prefetch(unlinkedHashes[i]!)
    this.fetched = fetched
    for (; this.linkedCount < count; this.linkedCount++) {
      if (!db.link(unlinked[this.linkedCount]!, unlinkedHashes[this.linkedCount]!)) this.linkTaken(this.linkedCount)
    }
    this.unlinkedCount = 0
    this.linkedCount = 0
  }

  /** The name of an entry is taken. */
  private linkTaken(index: number): void {
    const { db } = this
    const entry = this.unlinked[index]!
    const at = db.keyAt(entry)
    const length = db.keyLength(entry)
    if (!this.options.replaces) {
      const text = latin1Text(db.bytesOf(entry), at, at + length)
      this.keysLoaded -= this.unlinkedCount - index
      throw new RdbError(
        'RDB_DUPLICATE_KEY',
        this.unlinkedOffsets[index]!,
        `RDB has duplicated key '${text}' in DB ${db.index}`,
      )
    }
    db.remove(db.peekOverdue(db.bytesOf(entry), at, length))
    db.link(entry, this.unlinkedHashes[index]!)
  }

  private lruField(): number {
    return usageField(this.keyspace, this.options.usage, this.idleSeconds, this.frequency)
  }

  /** Whether the key that was read is not wanted since its time has come. */
  private isDropped(): boolean {
    if (!this.hasExpire || !this.options.dropsExpired) return false
    if (this.expireHigh * TWO_32 + (this.expireLow >>> 0) >= this.nowMs) return false
    this.keysExpired++
    const { keyStart } = this
    this.options.onDropped?.(this.db.index, this.key.bytes.slice(keyStart, keyStart + this.keyLength))
    return true
  }

  private finishKey(): void {
    this.doing = 'read-type'
    this.valueType = -1
    this.hasExpire = false
    this.idleSeconds = -1
    this.frequency = -1
    const { keyDelayUs } = this.options
    if (keyDelayUs !== 0) this.owedDelayUs += testDelayUs(keyDelayUs, this.keyspace.random)
  }

  private checkKeyLength(length: number): void {
    if (length <= KEY_BYTES_MAX) return
    this.source.checkStringLength(length)
    throw this.source.error('RDB_CORRUPT', `A key of ${length} bytes is too large`)
  }

  private readOpcode(opcode: number): boolean {
    const { source } = this
    switch (opcode) {
      case OPCODE_EXPIRETIME_MS:
        return this.readExpireTime()
      case OPCODE_EXPIRETIME: {
        this.doing = 'read-expire'
        if (!source.has(4)) return false
        const ms = source.readInt32() * 1000
        this.setExpire((ms - Math.floor(ms / TWO_32) * TWO_32) | 0, Math.floor(ms / TWO_32))
        return true
      }
      case OPCODE_FREQ: {
        const frequency = source.readByte()
        if (frequency === SHORT) return false
        this.frequency = frequency
        return true
      }
      case OPCODE_IDLE: {
        const idleSeconds = source.readCount()
        if (idleSeconds === SHORT) return false
        this.idleSeconds = idleSeconds
        return true
      }
      case OPCODE_SELECTDB:
        return this.readDatabase()
      case OPCODE_RESIZEDB:
        return this.readSizes()
      case OPCODE_AUX:
        return this.readAux()
      case OPCODE_FUNCTION2:
        return this.readFunction()
      case OPCODE_FUNCTION:
        return this.readOldFunction()
      case OPCODE_MODULE_AUX:
        return this.readModuleAux()
      case OPCODE_SLOT_INFO:
        // Slot, keys in it, expiring keys in it: a hint for clusters.
        this.doing = 'read-len'
        return source.readCount() !== SHORT && source.readCount() !== SHORT && source.readCount() !== SHORT
      case OPCODE_EOF:
        if (this.version >= RDB_VERSION_WITH_CHECKSUM) {
          this.addToChecksum(source.at)
          this.state = AT_CHECKSUM
        } else this.state = AT_END
        return true
      default:
        source.at = source.mark
        throw source.error('RDB_UNKNOWN_TYPE', `Unknown RDB encoding type ${opcode}`)
    }
  }

  private readExpireTime(): boolean {
    const { source } = this
    this.doing = 'read-expire'
    if (!source.has(8)) return false
    const low = source.readInt32()
    this.setExpire(low, source.readInt32())
    return true
  }

  private setExpire(low: number, high: number): void {
    // -1 stands for none.
    this.hasExpire = low !== -1 || high !== -1
    this.expireLow = low
    this.expireHigh = high
  }

  private readDatabase(): boolean {
    const { databases } = this
    this.doing = 'read-len'
    const index = this.source.readCount()
    if (index === SHORT) return false
    const db = databases[index]
    if (db === undefined) {
      const count = databases.length
      throw this.source.error(
        'RDB_DATABASE_OUT_OF_RANGE',
        `FATAL: Data file was created with a Redis server configured to handle more than ${count} databases. Exiting`,
      )
    }
    this.linkAll()
    this.db = db
    return true
  }

  private readSizes(): boolean {
    const { source } = this
    this.doing = 'read-len'
    const keys = source.readCount()
    if (keys === SHORT) return false
    const expires = source.readCount()
    if (expires === SHORT) return false
    this.linkAll()
    const bytesLeft = source.end - source.at + source.following
    const keysMax = bytesLeft === Number.POSITIVE_INFINITY ? RESERVED_KEYS_MAX : Math.ceil(bytesLeft / RECORD_BYTES_MIN)
    this.db.reserve(this.db.size + Math.min(keys, keysMax), this.db.expiresSize + Math.min(expires, keysMax))
    return true
  }

  private readAux(): boolean {
    const { source } = this
    this.doing = 'read-aux'
    if (!source.readString()) return false
    const name = latin1Text(source.text.bytes, source.textStart, source.textStart + source.textLength)
    if (!source.readString()) return false
    this.useAux(name, latin1Text(source.text.bytes, source.textStart, source.textStart + source.textLength))
    return true
  }

  private useAux(name: string, value: string): void {
    const { log } = this.options
    const number = leadingInteger(value)
    if (name.startsWith('%')) log('notice', `RDB '${name}': ${value}`)
    else {
      switch (name.toLowerCase()) {
        case 'repl-stream-db':
          this.replicationDbIndex = number
          break
        case 'repl-id':
          if (value.length === REPLICATION_ID_LENGTH) this.replicationId = value
          break
        case 'repl-offset':
          this.replicationOffset = number
          break
        case 'redis-ver':
          log('notice', `Loading RDB produced by version ${value}`)
          break
        case 'ctime':
          log('notice', `RDB age ${Math.max(0, Math.floor(this.nowMs / 1000) - number)} seconds`)
          break
        case 'used-mem':
          this.usedMemoryBytes = number
          log('notice', `RDB memory usage when created ${(number / 1024 / 1024).toFixed(2)} Mb`)
          break
        case 'aof-preamble':
          if (number !== 0) log('notice', 'RDB has an AOF tail')
          break
        case 'aof-base':
          if (number !== 0) log('notice', 'RDB is base AOF')
          break
        case 'lua':
        case 'redis-bits':
          break
        default:
          log('debug', `Unrecognized RDB AUX field: '${name}'`)
      }
    }
  }

  private readFunction(): boolean {
    this.doing = 'read-functions'
    const code = this.readCopy()
    if (code === null) return false
    this.addLibrary(code)
    return true
  }

  private readOldFunction(): boolean {
    const { source } = this
    this.doing = 'read-functions'
    const name = this.readCopy()
    if (name === null) return false
    const engine = this.readCopy()
    if (engine === null) return false
    const hasDescription = source.readCount()
    if (hasDescription === SHORT) return false
    if (hasDescription !== 0 && !source.readString()) return false
    const code = this.readCopy()
    if (code === null) return false
    this.addLibrary(modernSource(engine, name, code))
    return true
  }

  private addLibrary(source: Uint8Array): void {
    const { functions, replaces, log } = this.options
    const taken = functions.add(source, replaces)
    if (taken === null) return
    const message = `Library '${taken}' already exists`
    log('warning', `Failed loading library, ${message}`)
    throw this.source.error('RDB_CORRUPT', message)
  }

  private readCopy(): Uint8Array | null {
    const { source } = this
    if (!source.readString()) return null
    return source.text.bytes.slice(source.textStart, source.textStart + source.textLength)
  }

  private readModuleAux(): boolean {
    const { source } = this
    this.doing = 'read-module-aux'
    const id = source.readCount64()
    if (id === null) return false
    const whenOpcode = source.readCount()
    if (whenOpcode === SHORT || source.readCount() === SHORT) return false
    if (whenOpcode !== MODULE_UINT) throw source.error('RDB_CORRUPT', 'bad when_opcode')
    this.options.log(
      'warning',
      `The RDB file contains AUX module data that is passed over: there is no module '${moduleName(id)}'`,
    )
    this.state = IN_MODULE_AUX
    return true
  }

  /** Passes over one part of a module's data. */
  private skipModulePart(): boolean {
    const { source } = this
    const part = source.readCount()
    switch (part) {
      case SHORT:
        return false
      case MODULE_EOF:
        this.state = AT_RECORD
        return true
      case MODULE_SINT:
      case MODULE_UINT:
        return source.readCount() !== SHORT
      case MODULE_STRING:
        return source.readString()
      case MODULE_FLOAT:
        return source.skip(4)
      case MODULE_DOUBLE:
        return source.skip(8)
      default:
        throw source.error('RDB_CORRUPT', `Unknown part ${part} in a module's data`)
    }
  }

  // What is not a record

  private readOther(): boolean {
    switch (this.state) {
      case AT_HEADER:
        return this.readHeader()
      case IN_STRING:
        return this.continueString()
      case IN_COLLECTION:
        return this.continueCollection()
      case IN_MODULE_AUX:
        return this.skipModulePart()
      case AT_CHECKSUM:
        return this.readChecksum()
      default:
        return true
    }
  }

  private readHeader(): boolean {
    const { source } = this
    if (!source.has(HEADER_BYTES)) return false
    const text = latin1Text(source.bytes, source.at, source.at + HEADER_BYTES)
    if (!text.startsWith('REDIS')) {
      throw source.error('RDB_BAD_SIGNATURE', 'Wrong signature trying to load DB from file')
    }
    this.version = leadingInteger(text.slice(5))
    if (this.version < 1 || this.version > RDB_VERSION_MAX) {
      throw source.error('RDB_BAD_VERSION', `Can't handle RDB format version ${this.version}`)
    }
    source.at += HEADER_BYTES
    this.state = AT_RECORD
    return true
  }

  private readChecksum(): boolean {
    const { source, crc } = this
    const { log } = this.options
    this.doing = 'check-sum'
    if (!source.has(CHECKSUM_BYTES)) return false
    const { bytes, at } = source
    source.at += CHECKSUM_BYTES
    if (this.options.checksum) {
      const low = source.int32At(at)
      const high = source.int32At(at + 4)
      if (low === 0 && high === 0) log('warning', 'RDB file was saved with checksum disabled: no check performed.')
      else if (!crc.equalsLittleEndian(bytes, at)) {
        const stored = ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)
        log('warning', `Wrong RDB checksum expected: (${crc.value().toString(16)}) but got (${stored}). Aborting now.`)
        throw source.error('RDB_BAD_CHECKSUM', 'RDB CRC error')
      }
    }
    this.state = AT_END
    return true
  }

  private finish(): void {
    const { log } = this.options
    const counts = `keys loaded: ${this.keysLoaded}, keys expired: ${this.keysExpired}`
    if (this.emptyKeys > 0) {
      log('warning', `Done loading RDB, ${counts}, empty keys skipped: ${this.emptyKeys}.`)
    } else log('notice', `Done loading RDB, ${counts}.`)
  }

  private addToChecksum(end: number): void {
    if (this.options.checksum && end > this.crcAt) this.crc.update(this.source.bytes, this.crcAt, end)
    this.crcAt = end
  }
}

/** atoi: what stands before anything else. */
function leadingInteger(text: string): number {
  const value = Number.parseInt(text, 10)
  return Number.isNaN(value) ? 0 : value
}

/** Nine characters of six bits each stand above the ten bits of a module's encoding version. */
function moduleName(id: bigint): string {
  let name = ''
  for (let i = 0; i < 9; i++) name = MODULE_NAME_CHARACTERS[Number((id >> BigInt(10 + 6 * i)) & 63n)]! + name
  return name
}
