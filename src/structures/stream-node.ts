/**
 * The nodes of a stream: listpacks of entries whose ids and field names are told relative to a master entry, in Redis's own
 * bytes. The master id is the node's key and stands outside.
 *
 *   node:   | count | deleted | fields | name ... | 0 | entry ... |
 *   entry:  | flags | ms - master | seq - master | values ... | elements of this entry before this one |       same fields
 *           | flags | ms - master | seq - master | fields | name value ... | elements ... |                    others
 *
 * A deleted entry stays and is marked; a node whose last entry is deleted goes. `count` and `deleted` together are
 * the entries that are there.
 * Source: Redis documentation of stream listpacks, and its bytes as DUMP shows them.
 */
import { parseInt64 } from '../base/int64-text.ts'
import {
  elementBefore,
  isEnd,
  isValidListpack,
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  lastElement,
  skipElement,
  validNext,
} from './listpack.ts'
import type { StreamId } from './stream-id.ts'

export const FLAG_DELETED = 1
export const FLAG_SAME_FIELDS = 2

/** Reads integers of a node, which foreign data may keep as text. */
export class NodeReader extends ListpackReader {
  private textInteger = 0n
  private isText = false

  /** The integer at a position: NaN beyond +-(2^53 - 1), then `wide` has it. */
  int(bytes: Uint8Array, at: number): number {
    const first = bytes[at]!
    if (first < 0x80) return first
    this.read(bytes, at)
    this.isText = !this.isInteger
    return this.isInteger ? this.integer : this.intOfText()
  }

  /** The integer that `int` could not give. */
  get wide(): bigint {
    return this.isText ? this.textInteger : this.bigInteger()
  }

  /** Whether what `int` has just read is an integer at all. */
  get isNumber(): boolean {
    return !this.isText || parseInt64(this.bytes, this.start, this.start + this.length) !== null
  }

  private intOfText(): number {
    this.textInteger = parseInt64(this.bytes, this.start, this.start + this.length) ?? 0n
    const value = Number(this.textInteger)
    return Number.isSafeInteger(value) ? value : Number.NaN
  }
}

/** Entries that are not deleted. */
export function liveCount(reader: NodeReader, bytes: Uint8Array, start: number): number {
  return reader.int(bytes, start + LISTPACK_HEADER_BYTES)
}

/** Entries, deleted ones included. */
export function entryCount(reader: NodeReader, bytes: Uint8Array, start: number): number {
  const at = start + LISTPACK_HEADER_BYTES
  return reader.int(bytes, at) + reader.int(bytes, skipElement(bytes, at))
}

/** The element that says how many fields the master entry has. */
export function masterFieldsAt(bytes: Uint8Array, start: number): number {
  return skipElement(bytes, skipElement(bytes, start + LISTPACK_HEADER_BYTES))
}

/** The first entry, behind the master entry; the end mark if there is none. */
export function firstEntry(reader: NodeReader, bytes: Uint8Array, start: number): number {
  let at = masterFieldsAt(bytes, start)
  const fields = reader.int(bytes, at)
  for (let i = -1; i <= fields; i++) at = skipElement(bytes, at)
  return at
}

/** The id of the entry at a position. */
export function readEntryId(
  reader: NodeReader,
  bytes: Uint8Array,
  entry: number,
  master: StreamId,
  id: StreamId,
): void {
  id.copyFrom(master)
  let at = skipElement(bytes, entry)
  const ms = reader.int(bytes, at)
  id.addMs(ms, Number.isNaN(ms) ? reader.wide : 0n)
  at = skipElement(bytes, at)
  const seq = reader.int(bytes, at)
  id.addSeq(seq, Number.isNaN(seq) ? reader.wide : 0n)
}

/** The id of the last entry, deleted or not. False: there is none. */
export function readLastId(
  reader: NodeReader,
  bytes: Uint8Array,
  start: number,
  master: StreamId,
  id: StreamId,
): boolean {
  let at = lastElement(bytes, start)
  const elements = reader.int(bytes, at)
  if (elements === 0) return false
  for (let i = 0; i < elements; i++) at = elementBefore(bytes, at)
  readEntryId(reader, bytes, at, master, id)
  return true
}

/** Whether foreign bytes are a node, with all that its numbers promise. */
export function isValidNode(reader: NodeReader, bytes: Uint8Array, start: number, length: number): boolean {
  if (!isValidListpack(bytes, start, length, false)) return false
  return new NodeCheck(reader, bytes, start, length).isValid()
}

/** A walk over a node that nothing is believed of. */
class NodeCheck {
  private readonly reader: NodeReader
  private readonly bytes: Uint8Array
  private readonly end: number
  /** The element that comes next. */
  private at: number

  constructor(reader: NodeReader, bytes: Uint8Array, start: number, length: number) {
    this.reader = reader
    this.bytes = bytes
    this.at = start + LISTPACK_HEADER_BYTES
    this.end = start + length - 1
  }

  isValid(): boolean {
    const live = this.count()
    const deleted = this.count()
    const fields = this.count()
    if (live < 0 || deleted < 0 || fields < 0 || !this.skip(fields) || this.count() !== 0) return false
    let deletedFound = 0
    for (let entries = live + deleted; entries > 0; entries--) {
      const flags = this.entry(fields)
      if (Number.isNaN(flags)) return false
      if ((flags & FLAG_DELETED) !== 0) deletedFound++
    }
    return this.at === this.end && isEnd(this.bytes, this.at) && deletedFound === deleted
  }

  /** Passes over an entry and returns its flags, or NaN. As in Redis flags without a meaning do no harm. */
  private entry(masterFields: number): number {
    const { at } = this
    if (!this.integer() || !this.integer() || !this.integer()) return Number.NaN
    const flags = this.reader.int(this.bytes, at)
    if (flags !== (flags | 0)) return Number.NaN
    if ((flags & FLAG_SAME_FIELDS) !== 0) {
      return this.skip(masterFields) && this.count() === masterFields + 3 ? flags : Number.NaN
    }
    const fields = this.count()
    return fields >= 0 && this.skip(fields * 2) && this.count() === fields * 2 + 4 ? flags : Number.NaN
  }

  /** Passes over an integer of any size. */
  private integer(): boolean {
    const { at } = this
    if (!this.skip(1)) return false
    this.reader.int(this.bytes, at)
    return this.bytes[at]! < 0x80 || this.reader.isNumber
  }

  /** Passes over an integer that counts something; -1 if it cannot. */
  private count(): number {
    const { at } = this
    if (!this.integer()) return -1
    const value = this.reader.int(this.bytes, at)
    return value >= 0 ? value : -1
  }

  private skip(elements: number): boolean {
    for (let i = 0; i < elements; i++) {
      if (this.at >= this.end || isEnd(this.bytes, this.at)) return false
      this.at = validNext(this.bytes, this.at, this.end)
      if (this.at < 0) return false
    }
    return true
  }
}
