/**
 * Lists in RDB files and payloads.
 *
 *   18 quicklist-v2   count of nodes, then of each: 1 = plain, 2 = packed; the element, or the listpack, as a string
 *   14 quicklist      count of nodes, each a ziplist
 *   10 list-ziplist   one ziplist
 *    1 list-linked    count of elements, each a string
 *
 * Written as 18. A node that is compressed in memory goes as it is, whatever rdbcompression says.
 * Every listpack is looked at as a whole before it is taken.
 * Source: format.ts; behaviour of redis-server 7.0.15.
 */
import { ENCODING_QUICKLIST, TYPE_LIST } from '../../../keyspace/entry.ts'
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import type { ListType } from '../../../keyspace/types/list.ts'
import type { Ref } from '../../../memory/arena.ts'
import { isValidListpack, LISTPACK_EMPTY_BYTES, Listpacks } from '../../../structures/listpack.ts'
import type { QuicklistRef } from '../../../structures/quicklist.ts'
import { COMPRESSED, NodeView, PLAIN, type QuicklistNodeRef } from '../../../structures/quicklist-nodes.ts'
import { ZiplistReader } from '../../../structures/ziplist.ts'
import { type RdbSource, SHORT } from '../rdb-source.ts'
import type { RdbWriter } from '../rdb-writer.ts'
import type { RdbTypeCodec, ValueReading, ValueWriting } from '../type-codec.ts'

const LIST_LINKED = 1
const LIST_ZIPLIST = 10
const QUICKLIST = 14
const QUICKLIST_2 = 18

const CONTAINER_PLAIN = 1
const CONTAINER_PACKED = 2

export class ListCodec implements RdbTypeCodec {
  readonly type = TYPE_LIST
  readonly rdbTypes = [LIST_LINKED, LIST_ZIPLIST, QUICKLIST, QUICKLIST_2]
  private readonly keyspace: Keyspace

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  rdbTypeOf(): number {
    return QUICKLIST_2
  }

  write(root: Ref, _encoding: number, out: RdbWriter, budgetBytes: number): ValueWriting | null {
    const { lists } = this.keyspace
    out.length(lists.quicklists.nodeCount(root))
    const writing = new ListWriting(lists, root)
    return writing.proceed(out, budgetBytes) ? null : writing
  }

  read(rdbType: number): ValueReading {
    return new ListReading(this.keyspace, rdbType)
  }
}

class ListWriting implements ValueWriting {
  private readonly lists: ListType
  private readonly view = new NodeView()
  private node: QuicklistNodeRef

  constructor(lists: ListType, root: QuicklistRef) {
    this.lists = lists
    this.node = lists.quicklists.head(root)
  }

  proceed(out: RdbWriter, budgetBytes: number): boolean {
    const { nodes } = this.lists.quicklists
    const { view } = this
    const stopBytes = out.writtenBytes + budgetBytes
    while (this.node !== 0) {
      if (out.writtenBytes >= stopBytes) return false
      const { node } = this
      const flags = nodes.flags(node)
      out.length((flags & PLAIN) !== 0 ? CONTAINER_PLAIN : CONTAINER_PACKED)
      if ((flags & COMPRESSED) !== 0) {
        nodes.viewCompressed(node, view)
        out.compressedHeader(view.length, nodes.size(node))
        out.raw(view.bytes, view.start, view.length)
      } else {
        nodes.view(node, view)
        out.string(view.bytes, view.start, view.length)
      }
      this.node = nodes.next(node)
    }
    return true
  }
}

const UNKNOWN = -1

class ListReading implements ValueReading {
  readonly encoding = ENCODING_QUICKLIST
  root: QuicklistRef
  private readonly keyspace: Keyspace
  private readonly rdbType: number
  /** Elements or nodes still to be read. */
  private left: number

  constructor(keyspace: Keyspace, rdbType: number) {
    this.keyspace = keyspace
    this.rdbType = rdbType
    this.root = keyspace.lists.create()
    this.left = rdbType === LIST_ZIPLIST ? 1 : UNKNOWN
  }

  get isEmpty(): boolean {
    return this.keyspace.lists.length(this.root) === 0
  }

  discard(): void {
    this.keyspace.lists.release(this.root)
  }

  proceed(source: RdbSource): boolean {
    if (this.left === UNKNOWN) {
      const count = source.readCount()
      if (count === SHORT) return false
      this.left = count
      source.setMark()
    }
    for (; this.left > 0; this.left--) {
      if (!this.readPart(source)) return false
      source.setMark()
    }
    return true
  }

  private readPart(source: RdbSource): boolean {
    const { rdbType } = this
    const { quicklists } = this.keyspace.lists
    let container = CONTAINER_PACKED
    if (rdbType === QUICKLIST_2) {
      container = source.readCount()
      if (container === SHORT) return false
      if (container !== CONTAINER_PLAIN && container !== CONTAINER_PACKED) {
        throw source.error('RDB_CORRUPT', 'Quicklist integrity check failed.')
      }
    }
    if (!source.readString()) return false
    const { textStart, textLength } = source
    const { bytes } = source.text
    if (rdbType === LIST_LINKED) quicklists.push(this.root, true, bytes, textStart, textLength)
    else if (rdbType === LIST_ZIPLIST) this.takeZiplist(source)
    else if (rdbType === QUICKLIST) this.takeZiplistNode(source)
    else if (textLength === 0) throw source.error('RDB_CORRUPT', 'Quicklist integrity check failed.')
    else if (container === CONTAINER_PLAIN) quicklists.appendPlain(this.root, bytes, textStart, textLength)
    else if (!isValidListpack(bytes, textStart, textLength, true)) {
      throw source.error('RDB_CORRUPT', 'Listpack integrity check failed.')
    } else if (textLength > LISTPACK_EMPTY_BYTES) quicklists.appendListpack(this.root, bytes, textStart, textLength)
    return true
  }

  /** The elements are added one by one. */
  private takeZiplist(source: RdbSource): void {
    const { lists } = this.keyspace
    const reader = new ZiplistReader()
    if (!reader.open(source.text.bytes, source.textStart, source.textStart + source.textLength)) {
      throw source.error('RDB_CORRUPT', 'List ziplist integrity check failed.')
    }
    while (reader.next()) lists.push(this.root, true, reader.bytes, reader.start, reader.length)
  }

  /** The ziplist becomes a node. */
  private takeZiplistNode(source: RdbSource): void {
    const { arena, lists } = this.keyspace
    const reader = new ZiplistReader()
    if (!reader.open(source.text.bytes, source.textStart, source.textStart + source.textLength)) {
      throw source.error('RDB_CORRUPT', 'Ziplist integrity check failed.')
    }
    if (reader.count === 0) return
    const listpacks = new Listpacks(arena)
    let listpack = listpacks.create(source.textLength)
    try {
      while (reader.next()) listpack = listpacks.append(listpack, reader.bytes, reader.start, reader.length)
      lists.quicklists.appendListpack(this.root, arena.view8(listpack), arena.at8(listpack), listpacks.bytes(listpack))
    } finally {
      listpacks.release(listpack)
    }
  }
}
