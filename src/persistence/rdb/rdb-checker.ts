/**
 * Reads an RDB file from its beginning to its end, keeps nothing, and says what it finds: o7-check-rdb, and the RDB part of an
 * append-only file for o7-check-aof. Lines, offsets and verdicts are those of redis-check-rdb 7.0.15.
 *
 * Values are read as a server reads them and freed at once, so that memory stays at one value and a window.
 * Where it differs from Redis: the words for what is wrong within a value are this server's, without lines of rdb.c.
 */
import { latin1Text } from '../../base/byte-text.ts'
import { Crc64 } from '../../base/crc64.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { ReadableFile } from '../file-system.ts'
import {
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
import { RdbError } from './rdb-error.ts'
import { RdbSource, SHORT } from './rdb-source.ts'
import type { RdbCodecs } from './type-codec.ts'

const WINDOW_BYTES = 1024 * 1024
const HEADER_BYTES = 9
const CHECKSUM_BYTES = 8
const TWO_32 = 0x1_0000_0000

/** What is wrong, with the words for it. */
class CheckFailure extends Error {}

export class RdbChecker {
  private readonly source = new RdbSource()
  private readonly crc = new Crc64()
  private crcAt = 0
  private readonly file: ReadableFile
  private readonly codecs: RdbCodecs
  private readonly keyspace: Keyspace
  private readonly print: (line: string) => void
  private doing = 'start'
  private key: string | null = null
  /** As in Redis, a string until the first key has been read. */
  private keyType = RDB_STRING
  private keys = 0
  private expires = 0
  private alreadyExpired = 0
  private expireMs = -1

  constructor(file: ReadableFile, codecs: RdbCodecs, keyspace: Keyspace, print: (line: string) => void) {
    this.file = file
    this.codecs = codecs
    this.keyspace = keyspace
    this.print = print
    this.source.following = file.sizeBytes
    this.source.useWindow(new Uint8Array(Math.max(HEADER_BYTES, Math.min(WINDOW_BYTES, file.sizeBytes))))
  }

  /** Where the RDB data ends in the file, after a check that found nothing wrong. */
  get endOffset(): number {
    return this.source.offset
  }

  /** Whether the file is sane. */
  check(name: string): boolean {
    this.info(`Checking RDB file ${name}`)
    try {
      this.checkAll()
    } catch (error) {
      if (error instanceof CheckFailure) this.error(error.message)
      else if (error instanceof RdbError) {
        const { code, message, offset } = error
        this.error(code === 'RDB_SHORT_READ' ? 'Unexpected EOF reading RDB file' : message, offset)
      } else throw error
      return false
    }
    this.info('\\o/ RDB looks OK! \\o/')
    this.showCounts()
    return true
  }

  private checkAll(): void {
    const { source } = this
    const head = this.whole(() => (source.has(HEADER_BYTES) ? this.take(HEADER_BYTES) : null))
    if (!head.startsWith('REDIS')) throw new CheckFailure('Wrong signature trying to load DB from file')
    const version = Number.parseInt(head.slice(5), 10) || 0
    if (version < 1 || version > RDB_VERSION_MAX) {
      throw new CheckFailure(`Can't handle RDB format version ${version}`)
    }
    while (this.record());
    if (version < RDB_VERSION_WITH_CHECKSUM) return
    source.setMark()
    this.addToChecksum(source.at)
    this.doing = 'check-sum'
    this.whole(() => (source.has(CHECKSUM_BYTES) ? true : null))
    const at = source.at
    source.at += CHECKSUM_BYTES
    if (source.int32At(at) === 0 && source.int32At(at + 4) === 0) {
      this.info('RDB file was saved with checksum disabled: no check performed.')
    } else if (!this.crc.equalsLittleEndian(source.bytes, at)) throw new CheckFailure('RDB CRC error')
    else this.info('Checksum OK')
  }

  /** False: that was the end. */
  private record(): boolean {
    const { source } = this
    this.doing = 'read-type'
    const opcode = this.whole(() => present(source.readByte()))
    switch (opcode) {
      case OPCODE_EOF:
        return false
      case OPCODE_EXPIRETIME:
        this.doing = 'read-expire'
        this.expireMs = this.whole(() => (source.has(4) ? source.readInt32() * 1000 : null))
        return true
      case OPCODE_EXPIRETIME_MS:
        this.doing = 'read-expire'
        this.expireMs = this.whole(() =>
          source.has(8) ? (source.readInt32() >>> 0) + source.readInt32() * TWO_32 : null,
        )
        return true
      case OPCODE_FREQ:
        this.whole(() => present(source.readByte()))
        return true
      case OPCODE_IDLE:
        this.count()
        return true
      case OPCODE_SELECTDB:
        this.doing = 'read-len'
        this.info(`Selecting DB ID ${this.count()}`)
        return true
      case OPCODE_RESIZEDB:
        this.doing = 'read-len'
        this.count()
        this.count()
        return true
      case OPCODE_SLOT_INFO:
        this.doing = 'read-len'
        for (let i = 0; i < 3; i++) this.count()
        return true
      case OPCODE_AUX: {
        this.doing = 'read-aux'
        const name = this.text()
        this.info(`AUX FIELD ${name} = '${this.text()}'`)
        return true
      }
      case OPCODE_FUNCTION2:
        this.doing = 'read-functions'
        this.text()
        return true
      case OPCODE_FUNCTION:
        this.doing = 'read-functions'
        this.text()
        this.text()
        if (this.count() !== 0) this.text()
        this.text()
        return true
      case OPCODE_MODULE_AUX:
        throw new CheckFailure("AUX data of modules can't be checked")
      default:
        this.keyRecord(opcode)
        return true
    }
  }

  private keyRecord(type: number): void {
    const codec = this.codecs.forRdbType(type)
    if (type !== RDB_STRING && codec === undefined && rdbTypeName(type) === undefined) {
      throw new CheckFailure(`Invalid object type: ${type}`)
    }
    this.keyType = type
    this.doing = 'read-key'
    this.key = this.text()
    this.keys++
    this.doing = 'read-object-value'
    if (type === RDB_STRING) this.skipString()
    else {
      if (codec === undefined) throw new CheckFailure(`Values of type ${type} can't be checked`)
      const reading = codec.read(type)
      try {
        while (!reading.proceed(this.source)) this.fill()
        this.source.setMark()
        // A server passes over a value without elements; redis-check-rdb takes it for the end of the file.
        if (reading.isEmpty) throw this.source.error('RDB_SHORT_READ', '')
      } finally {
        reading.discard()
      }
    }
    if (this.expireMs !== -1) {
      this.expires++
      if (this.expireMs < this.keyspace.clock.nowMs) this.alreadyExpired++
    }
    this.key = null
    this.keyType = -1
    this.expireMs = -1
  }

  private skipString(): void {
    const { source } = this
    this.whole(() => source.readString() || null)
  }

  private count(): number {
    return this.whole(() => present(this.source.readCount()))
  }

  private text(): string {
    const { source } = this
    this.whole(() => source.readString() || null)
    return latin1Text(source.text.bytes, source.textStart, source.textStart + source.textLength)
  }

  private take(length: number): string {
    const { source } = this
    source.at += length
    return latin1Text(source.bytes, source.at - length, source.at)
  }

  /** Reads a part, again and again from its start until all of it is there. */
  private whole<Part>(read: () => Part | null): Part {
    const { source } = this
    source.setMark()
    for (;;) {
      const part = read()
      if (part !== null) return part
      source.at = source.mark
      this.fill()
    }
  }

  /** Makes more of the file be there. Throws at its end. */
  private fill(): void {
    const { source } = this
    const { mark } = source
    if (this.crcAt < mark) this.addToChecksum(mark)
    if (mark > 0) {
      source.bytes.copyWithin(0, mark, source.end)
      source.base += mark
      source.at -= mark
      source.end -= mark
      source.wanted -= mark
      source.mark = 0
      this.crcAt -= mark
    }
    const { length } = source.bytes
    if (source.end === length || source.wanted > length) {
      const larger = new Uint8Array(Math.max(source.wanted, length * 2))
      larger.set(source.bytes.subarray(0, source.end))
      source.useWindow(larger)
    }
    const read = this.file.readSync(source.bytes, source.end)
    if (read === 0) {
      source.following = 0
      throw source.error('RDB_SHORT_READ', '')
    }
    source.end += read
    source.following -= read
  }

  /** What lies before `until` in the window is done with. */
  private addToChecksum(until: number): void {
    this.crc.update(this.source.bytes, this.crcAt, until)
    this.crcAt = until
  }

  private info(message: string): void {
    this.print(`[offset ${this.source.offset}] ${message}`)
  }

  private error(message: string, offset = this.source.offset): void {
    this.print('--- RDB ERROR DETECTED ---')
    this.print(`[offset ${offset}] ${message}`)
    this.print(`[additional info] While doing: ${this.doing}`)
    // As C prints it, up to the first zero byte.
    if (this.key !== null) this.print(`[additional info] Reading key '${this.key.split('\0', 1)[0]}'`)
    if (this.keyType !== -1) {
      this.print(`[additional info] Reading type ${this.keyType} (${reportedTypeName(this.keyType)})`)
    }
    this.showCounts()
  }

  private showCounts(): void {
    this.print(`[info] ${this.keys} keys read`)
    this.print(`[info] ${this.expires} expires`)
    this.print(`[info] ${this.alreadyExpired} already expired`)
  }
}

function present(value: number): number | null {
  return value === SHORT ? null : value
}
