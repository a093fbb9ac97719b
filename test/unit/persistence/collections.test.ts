/**
 * Types beside strings, by way of one made for the purpose: lists of strings in a chain of blocks. What a type has to give is
 * small, and large values are written and read in parts, while clients change them.
 */
import { describe, expect, test } from 'vitest'
import type { Random } from '../../../src/base/random.ts'
import type { Db } from '../../../src/keyspace/db.ts'
import { type Digest, datasetDigest, valueDigest } from '../../../src/keyspace/digest.ts'
import { TYPE_LIST } from '../../../src/keyspace/entry.ts'
import type { Keyspace } from '../../../src/keyspace/keyspace.ts'
import type { ValueType } from '../../../src/keyspace/value-type.ts'
import type { Arena, Ref } from '../../../src/memory/arena.ts'
import type { RdbSource } from '../../../src/persistence/rdb/rdb-source.ts'
import type { RdbWriter } from '../../../src/persistence/rdb/rdb-writer.ts'
import type { RdbTypeCodec, ValueReading, ValueWriting } from '../../../src/persistence/rdb/type-codec.ts'
import { seededTest } from '../../model/seeded.ts'
import { createTestPersistence, type TestPersistence } from '../../support/persistence.ts'
import { payload, RdbBuilder } from '../../support/rdb-builder.ts'

/** What Redis writes lists as when they are linked lists: a count, then strings. */
const RDB_LIST = 1

/** block: next ref, first ref's count (of the head only), length, bytes. */
class Lists implements ValueType, RdbTypeCodec {
  readonly type = TYPE_LIST
  readonly name = 'list'
  readonly rdbTypes = [RDB_LIST]
  arena!: Arena
  live = 0

  create(items: readonly string[]): Ref {
    let next: Ref = 0
    for (let i = items.length - 1; i >= 0; i--) next = this.block(next, items[i]!)
    const head = this.block(next, '')
    this.arena.view32(head)[this.arena.at32(head) + 1] = items.length
    return head
  }

  block(next: Ref, text: string): Ref {
    const bytes = Buffer.from(text)
    const ref = this.arena.allocate(12 + bytes.length)
    const words = this.arena.view32(ref)
    const at = this.arena.at32(ref)
    words[at] = next
    words[at + 2] = bytes.length
    this.arena.view8(ref).set(bytes, this.arena.at8(ref) + 12)
    this.live++
    return ref
  }

  next(ref: Ref): Ref {
    return this.arena.view32(ref)[this.arena.at32(ref)]!
  }

  bytesOf(ref: Ref): Uint8Array {
    const at = this.arena.at8(ref) + 12
    return this.arena.view8(ref).slice(at, at + this.arena.view32(ref)[this.arena.at32(ref) + 2]!)
  }

  items(root: Ref): string[] {
    const items: string[] = []
    for (let ref = this.next(root); ref !== 0; ref = this.next(ref))
      items.push(Buffer.from(this.bytesOf(ref)).toString())
    return items
  }

  /** Replaces the text of every item. */
  change(root: Ref): void {
    for (let ref = this.next(root); ref !== 0; ref = this.next(ref)) {
      const at = this.arena.at8(ref) + 12
      this.arena.view8(ref).fill(33, at, at + this.bytesOf(ref).length)
    }
  }

  release(root: Ref): void {
    for (let ref: Ref = root; ref !== 0; ) {
      const next = this.next(ref)
      this.arena.release(ref)
      this.live--
      ref = next
    }
  }

  copy(root: Ref): Ref {
    return this.create(this.items(root))
  }

  sizeBytes(): number {
    return 0
  }

  length(root: Ref): number {
    return this.arena.view32(root)[this.arena.at32(root) + 1]!
  }

  digest(root: Ref, _encoding: number, digest: Digest): void {
    for (let ref = this.next(root); ref !== 0; ref = this.next(ref)) {
      const bytes = this.bytesOf(ref)
      digest.mix(bytes, 0, bytes.length)
    }
  }

  rdbTypeOf(): number {
    return RDB_LIST
  }

  write(root: Ref, _encoding: number, out: RdbWriter, budgetBytes: number): ValueWriting | null {
    out.length(this.length(root))
    let ref = this.next(root)
    const writing: ValueWriting = {
      proceed: (writer, budget) => {
        const stopBytes = writer.writtenBytes + budget
        for (; ref !== 0; ref = this.next(ref)) {
          if (writer.writtenBytes >= stopBytes) return false
          const bytes = this.bytesOf(ref)
          writer.string(bytes, 0, bytes.length)
        }
        return true
      },
    }
    return writing.proceed(out, budgetBytes) ? null : writing
  }

  read(): ValueReading {
    const items: string[] = []
    let left = -1
    let root: Ref = 0
    const take = (source: RdbSource): boolean => {
      if (left < 0) {
        const count = source.readCount()
        if (count < 0) return false
        left = count
        source.setMark()
      }
      for (; left > 0; left--) {
        if (!source.readString()) return false
        items.push(
          Buffer.from(source.text.bytes.slice(source.textStart, source.textStart + source.textLength)).toString(),
        )
        source.setMark()
      }
      root = this.create(items)
      return true
    }
    return {
      proceed: take,
      get root() {
        return root
      },
      encoding: 9,
      get isEmpty() {
        return items.length === 0
      },
      discard: () => {
        if (root !== 0) this.release(root)
      },
    }
  }
}

function withLists(): { test: TestPersistence; lists: Lists; db: Db; keyspace: Keyspace } {
  const lists = new Lists()
  const test = createTestPersistence({ types: [lists], codecs: [lists], commands: [] })
  const { keyspace } = test.engine
  lists.arena = keyspace.arena
  return { test, lists, db: keyspace.databases[0]!, keyspace }
}

function add(db: Db, lists: Lists, name: string, items: readonly string[]): void {
  const key = Buffer.from(name)
  db.addValue(key, 0, key.length, TYPE_LIST, 9, lists.create(items))
}

function find(db: Db, name: string): Ref {
  return db.peek(Buffer.from(name), 0, Buffer.from(name).length)
}

/** Contents by name. */
function all(db: Db, lists: Lists): Map<string, string[] | string> {
  const found = new Map<string, string[] | string>()
  db.forEach((entry) => {
    const name = Buffer.from(db.keyBytes(entry)).toString()
    const value =
      db.typeOf(entry) === TYPE_LIST ? lists.items(db.rootOf(entry)) : Buffer.from(db.valueView(entry)).toString()
    found.set(name, value)
  })
  return found
}

describe('a type of its own', () => {
  test('is saved, loaded, dumped and restored', () => {
    const { test, lists, db, keyspace } = withLists()
    add(db, lists, 'list', ['a', '12', 'x'.repeat(300)])
    test.client.send('SET', 'string', 'value')
    const digest = datasetDigest(keyspace)
    expect(test.persistence.reload({ save: true, flush: true, merge: false })).toBe(null)
    expect(all(db, lists)).toEqual(
      new Map<string, string[] | string>([
        ['list', ['a', '12', 'x'.repeat(300)]],
        ['string', 'value'],
      ]),
    )
    expect(datasetDigest(keyspace)).toBe(digest)
    const reply = Buffer.from(test.client.send('DUMP', 'list'), 'latin1')
    const dumped = reply.subarray(reply.indexOf('\n') + 1, -2)
    expect(dumped[0]).toBe(RDB_LIST)
    expect(test.client.send('RESTORE', 'copy', '0', dumped)).toBe('+OK\r\n')
    expect(valueDigest(db, find(db, 'copy'))).toBe(valueDigest(db, find(db, 'list')))
    expect(test.persistence.serializedLength(db, find(db, 'list'))).toBe(dumped.length - 11)
    keyspace.clear()
    expect(lists.live).toBe(0)
  })

  test('values without elements are passed over, and refused by RESTORE', async () => {
    const { test, lists, db } = withLists()
    const bytes = new RdbBuilder()
      .select(0)
      .byte(RDB_LIST)
      .text('empty')
      .length(0)
      .byte(RDB_LIST)
      .text('one')
      .length(1)
      .text('x')
      .end()
    test.files.put('/data/dump.rdb', bytes)
    const done = test.persistence.loadAtStart()
    await test.drain()
    await done
    expect([...all(db, lists).keys()]).toEqual(['one'])
    expect(test.log).toContain('warning rdbLoadObject skipping empty key: empty')
    expect(test.log).toContain('warning Done loading RDB, keys loaded: 1, keys expired: 0, empty keys skipped: 1.')
    expect(test.client.send('RESTORE', 'a', '0', payload([RDB_LIST, 0]))).toBe('-ERR Bad data format\r\n')
    expect(test.client.send('RESTORE', 'a', '0', payload([RDB_LIST, 3, 1, 65]))).toBe('-ERR Bad data format\r\n')
    expect(test.client.send('RESTORE', 'a', '1', payload([RDB_LIST, 1, 1, 65]), 'ABSTTL')).toBe('+OK\r\n')
    expect(lists.live).toBe(2)
  })

  test('a large value is read in parts from a file that comes in pieces', async () => {
    const { test, lists, db } = withLists()
    const items = Array.from({ length: 30_000 }, (_, i) => `item ${i}`)
    add(db, lists, 'large', items)
    test.client.send('SAVE')
    test.files.readBytesMax = 1000
    expect(test.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(all(db, lists)).toEqual(new Map([['large', items]]))
  })

  seededTest('holds its value of the start while it is written in parts', 3, async (random: Random) => {
    const { test, lists, db } = withLists()
    for (let i = 0; i < 20; i++) {
      const count = random.below(3) === 0 ? 20_000 + random.below(60_000) : random.below(50) + 1
      add(
        db,
        lists,
        `list:${i}`,
        Array.from({ length: count }, (_, j) => `item ${i} ${j} ${random.hex(8)}`),
      )
      test.client.send('SET', `string:${i}`, random.hex(100))
    }
    const before = all(db, lists)
    test.client.send('BGSAVE')
    while (test.persistence.state.isSaving) {
      if (!test.scheduler.turn()) await test.drain()
      if (random.below(4) > 0) continue
      const name = `list:${random.below(20)}`
      const entry = find(db, name)
      if (entry === 0) continue
      if (random.below(3) === 0) db.remove(entry)
      else {
        db.beforeChange(entry)
        lists.change(db.rootOf(entry))
      }
      test.client.send('SET', `string:${random.below(20)}`, 'changed')
    }
    expect(test.persistence.state.lastSaveFailed).toBe(false)
    expect(test.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(all(db, lists)).toEqual(before)
  })
})
