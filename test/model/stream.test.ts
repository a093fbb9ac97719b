/**
 * Streams against a plain model: entries in arrays that stand for nodes, groups as maps. The clock stands still unless it is
 * moved, so ids made from it, idle times and what is claimed by them are exact. At the end everything is freed.
 */
import { describe, expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { streamCommands } from '../../src/commands/stream/index.ts'
import { createTestEngine, type TestEngine } from '../support/engine.ts'
import { oneOf, seededTest } from './seeded.ts'

const STEPS = 1500
const GROUPS = ['g', 'h']
const CONSUMERS = ['a', 'b', 'c']

type Reply = string | number | null | readonly Reply[]

interface Entry {
  readonly id: bigint
  readonly fields: readonly string[]
  isDeleted: boolean
}

interface Pending {
  consumer: string
  sinceMs: number
  deliveries: number
}

interface Group {
  lastId: bigint
  readonly pending: Map<bigint, Pending>
  readonly consumers: Set<string>
}

const idText = (id: bigint): string => `${id >> 64n}-${id & 0xffff_ffff_ffff_ffffn}`
const idOf = (ms: number | bigint, seq: number | bigint): bigint => (BigInt(ms) << 64n) | BigInt(seq)

function encode(reply: Reply): string {
  if (reply === null) return '*-1\r\n'
  if (typeof reply === 'number') return `:${reply}\r\n`
  if (typeof reply === 'string') return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`
  return `*${reply.length}\r\n${reply.map(encode).join('')}`
}

class Model {
  nodes: Entry[][] = []
  lastId = 0n
  added = 0
  readonly groups = new Map<string, Group>()
  readonly nodeEntries: number

  constructor(nodeEntries: number) {
    this.nodeEntries = nodeEntries
  }

  get live(): Entry[] {
    return this.nodes.flat().filter(({ isDeleted }) => !isDeleted)
  }

  find(id: bigint): Entry | undefined {
    return this.live.find((entry) => entry.id === id)
  }

  add(id: bigint, fields: readonly string[]): void {
    const last = this.nodes[this.nodes.length - 1]
    const entry = { id, fields, isDeleted: false }
    if (last === undefined || last.length >= this.nodeEntries) this.nodes.push([entry])
    else last.push(entry)
    this.lastId = id
    this.added++
  }

  delete(id: bigint): boolean {
    const entry = this.find(id)
    if (entry === undefined) return false
    entry.isDeleted = true
    this.nodes = this.nodes.filter((node) => !node.includes(entry) || node.some(({ isDeleted }) => !isDeleted))
    return true
  }

  trimLength(length: number, isApproximate: boolean, limit: number): number {
    return this.trim(
      isApproximate,
      limit,
      (node, kept) => kept - node >= length,
      () => this.live.length > length,
    )
  }

  trimId(id: bigint, isApproximate: boolean, limit: number): number {
    return this.trim(
      isApproximate,
      limit,
      () => this.nodes[0]!.at(-1)!.id < id,
      (entry) => entry.id < id,
      id,
    )
  }

  private trim(
    isApproximate: boolean,
    limit: number,
    isWhole: (live: number, total: number) => boolean,
    goes: (entry: Entry) => boolean,
    minId = -1n,
  ): number {
    let removed = 0
    while (this.nodes.length > 0) {
      const [node] = this.nodes
      const live = node!.filter(({ isDeleted }) => !isDeleted).length
      if (minId < 0n && !goes(node![0]!)) break
      if (limit > 0 && removed + live > limit) break
      if (isWhole(live, this.live.length)) {
        this.nodes.shift()
        removed += live
        continue
      }
      if (isApproximate) break
      for (const entry of node!) {
        if (!goes(entry)) break
        if (!entry.isDeleted) removed++
        entry.isDeleted = true
      }
      break
    }
    return removed
  }
}

const shown = ({ id, fields }: Entry): Reply => [idText(id), fields]

function play(random: Random, test: TestEngine): void {
  const { client, clock, engine } = test
  const { limits } = engine.keyspace
  const model = new Model(oneOf(random, [1, 2, 7, 100]))
  limits.streamNodeMaxEntries = model.nodeEntries
  limits.streamNodeMaxBytes = 0
  const expectReply = (args: readonly (string | number)[], reply: Reply) =>
    expect({ args, reply: client.send(...args) }).toEqual({ args, reply: encode(reply) })
  const anyId = (): bigint => {
    const all = model.nodes.flat()
    if (all.length > 0 && random.below(4) > 0) return all[random.below(all.length)]!.id
    return idOf(clock.nowMs - random.below(1000), random.below(3))
  }
  const anyCount = () => random.below(8)
  client.send('XADD', 's', '*', 'f', 'v')
  model.add(idOf(clock.nowMs, 0), ['f', 'v'])
  for (let step = 0; step < STEPS; step++) {
    if (random.below(3) === 0) clock.advance(random.below(200))
    const name = oneOf(random, GROUPS)
    const group = model.groups.get(name)
    const consumer = oneOf(random, CONSUMERS)
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const fields = oneOf(random, [
          ['f', String(random.below(1000))],
          ['f', 'x'.repeat(random.below(100))],
          ['f', String(BigInt(random.int32()) * 0x7fff_ffffn), 'g', ''],
          [String(random.below(5)), random.hex(10)],
        ])
        const now = idOf(clock.nowMs, 0)
        const id = now > model.lastId && now >> 64n !== model.lastId >> 64n ? now : model.lastId + 1n
        expectReply(['XADD', 's', '*', ...fields], idText(id))
        model.add(id, fields)
        break
      }
      case 4: {
        const id = anyId()
        expectReply(['XDEL', 's', idText(id)], model.delete(id) ? 1 : 0)
        break
      }
      case 5: {
        if (random.below(4) > 0) break
        const isApproximate = random.below(2) === 0
        const limit = isApproximate ? random.below(3) * model.nodeEntries : 0
        const options = isApproximate ? ['~'] : oneOf(random, [['='], []])
        const tail = isApproximate ? ['LIMIT', limit] : []
        if (random.below(2) === 0) {
          const length = random.below(model.live.length + 5)
          expectReply(
            ['XTRIM', 's', 'MAXLEN', ...options, length, ...tail],
            model.trimLength(length, isApproximate, limit),
          )
        } else {
          const id = anyId()
          expectReply(['XTRIM', 's', 'MINID', ...options, idText(id), ...tail], model.trimId(id, isApproximate, limit))
        }
        break
      }
      case 6: {
        const [from, to] = [anyId(), anyId()]
        const found = model.live.filter(({ id }) => id >= from && id <= to).map(shown)
        expectReply(['XRANGE', 's', idText(from), idText(to)], found)
        expectReply(['XREVRANGE', 's', idText(to), idText(from)], [...found].reverse())
        const count = anyCount() + 1
        expectReply(
          ['XRANGE', 's', idText(from), '+', 'COUNT', count],
          model.live
            .filter(({ id }) => id >= from)
            .map(shown)
            .slice(0, count),
        )
        break
      }
      case 7:
        expectReply(['XLEN', 's'], model.live.length)
        break
      case 8: {
        if (group !== undefined) break
        const from = anyId()
        expect(client.send('XGROUP', 'CREATE', 's', name, idText(from))).toBe('+OK\r\n')
        model.groups.set(name, { lastId: from, pending: new Map(), consumers: new Set() })
        break
      }
      case 9:
      case 10: {
        if (group === undefined) break
        const count = anyCount() + 1
        const isNoted = random.below(5) > 0
        const found = model.live.filter(({ id }) => id > group.lastId).slice(0, count)
        const args = ['XREADGROUP', 'GROUP', name, consumer, 'COUNT', count, ...(isNoted ? [] : ['NOACK'])]
        expectReply([...args, 'STREAMS', 's', '>'], found.length === 0 ? null : [['s', found.map(shown)]])
        if (found.length === 0) break
        group.consumers.add(consumer)
        for (const { id } of found) {
          group.lastId = id
          if (isNoted) group.pending.set(id, { consumer, sinceMs: clock.nowMs, deliveries: 1 })
        }
        break
      }
      case 11: {
        if (group === undefined) break
        const id = oneOf(random, [...group.pending.keys(), anyId()])
        expectReply(['XACK', 's', name, idText(id)], group.pending.delete(id) ? 1 : 0)
        break
      }
      case 12: {
        if (group === undefined) break
        const minIdleMs = random.below(500)
        const id = oneOf(random, [...group.pending.keys(), anyId()])
        const pending = group.pending.get(id)
        const entry = model.find(id)
        if (entry === undefined) group.pending.delete(id)
        const isClaimed = entry !== undefined && pending !== undefined && clock.nowMs - pending.sinceMs >= minIdleMs
        expectReply(['XCLAIM', 's', name, consumer, minIdleMs, idText(id)], isClaimed ? [shown(entry)] : [])
        if (!isClaimed) break
        group.consumers.add(consumer)
        Object.assign(pending, { consumer, sinceMs: clock.nowMs, deliveries: pending.deliveries + 1 })
        break
      }
      case 13: {
        if (group === undefined) break
        const minIdleMs = random.below(500)
        const from = random.below(2) === 0 ? 0n : anyId()
        const count = anyCount() + 1
        const waiting = [...group.pending].filter(([id]) => id >= from).sort(([one], [other]) => (one < other ? -1 : 1))
        const claimed: Reply[] = []
        const gone: Reply[] = []
        let at = 0
        for (
          let attempts = count * 10;
          attempts > 0 && claimed.length + gone.length < count && at < waiting.length;
          attempts--
        ) {
          const [id, pending] = waiting[at++]!
          if (model.find(id) === undefined) {
            group.pending.delete(id)
            gone.push(idText(id))
          } else if (clock.nowMs - pending.sinceMs >= minIdleMs) {
            group.consumers.add(consumer)
            Object.assign(pending, { consumer, sinceMs: clock.nowMs })
            claimed.push(idText(id))
          }
        }
        const next = waiting[at]?.[0] ?? 0n
        expectReply(
          ['XAUTOCLAIM', 's', name, consumer, minIdleMs, idText(from), 'COUNT', count, 'JUSTID'],
          [idText(next), claimed, gone],
        )
        break
      }
      case 14: {
        if (group === undefined) break
        const list = [...group.pending].sort(([one], [other]) => (one < other ? -1 : 1))
        expectReply(
          ['XPENDING', 's', name, '-', '+', 1000, consumer],
          group.consumers.has(consumer)
            ? list
                .filter(([, pending]) => pending.consumer === consumer)
                .map(([id, { sinceMs, deliveries }]) => [idText(id), consumer, clock.nowMs - sinceMs, deliveries])
            : [],
        )
        const history = list.filter(([, pending]) => pending.consumer === consumer)
        if (!group.consumers.has(consumer)) break
        expectReply(
          ['XREADGROUP', 'GROUP', name, consumer, 'STREAMS', 's', '0'],
          [['s', history.map(([id]) => (model.find(id) === undefined ? [idText(id), null] : shown(model.find(id)!)))]],
        )
        for (const [id, pending] of history) {
          if (model.find(id) !== undefined)
            Object.assign(pending, { sinceMs: clock.nowMs, deliveries: pending.deliveries + 1 })
        }
        break
      }
      default: {
        if (group === undefined || random.below(8) > 0) break
        if (random.below(3) === 0) {
          expectReply(['XGROUP', 'DESTROY', 's', name], 1)
          model.groups.delete(name)
          break
        }
        const pending = [...group.pending].filter(([, held]) => held.consumer === consumer)
        expectReply(['XGROUP', 'DELCONSUMER', 's', name, consumer], pending.length)
        for (const [id] of pending) group.pending.delete(id)
        group.consumers.delete(consumer)
      }
    }
    if (step % 500 === 0) expect(client.send('COPY', 's', 's', 'DB', '1', 'REPLACE')).toBe(':1\r\n')
  }
  expectReply(['XRANGE', 's', '-', '+'], model.live.map(shown))
  const info = client.send('XINFO', 'STREAM', 's')
  expect(info).toContain(`$13\r\nentries-added\r\n:${model.added}\r\n`)
  expect(info).toContain(`$15\r\nradix-tree-keys\r\n:${model.nodes.length}\r\n`)
}

describe('streams', () => {
  seededTest('behave as arrays and maps', 3, (random: Random) => {
    const test = createTestEngine([...streamCommands(), ...genericCommands], { seed: random.int32() >>> 0 })
    const { arena } = test.engine.keyspace
    test.clock.advance(1_000_000)
    const empty = arena.usedBytes
    play(random, test)
    test.client.send('SELECT', '1')
    for (const db of test.engine.keyspace.databases) db.clear()
    while (test.engine.keyspace.lazyFree.step(1000)) {}
    expect(arena.usedBytes).toBe(empty)
  })
})
