/**
 * Lists, sets, sorted sets and hashes kept as JavaScript values, with the few commands that fill and show them: for
 * tests of what is common to all types, beside the types that the server really has.
 */
import type { Argv } from '../../src/base/argv.ts'
import { type Command, defineCommand, type Handler } from '../../src/engine/command.ts'
import type { Session } from '../../src/engine/session.ts'
import { ENCODING_LISTPACK, NO_KEY, TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_ZSET } from '../../src/keyspace/entry.ts'
import type { Sortable, ValueType } from '../../src/keyspace/value-type.ts'

/** Members in the order that the type gives them; a score for sorted sets, the value for hashes. */
type Members = { readonly member: Buffer; readonly value: Buffer }[]

export class PlainType implements ValueType {
  readonly type: number
  readonly name: string
  readonly values = new Map<number, Members>()
  readonly sortable?: Sortable
  private nextRoot = 1

  constructor(type: number, name: string, sorting: 'ordered' | 'unordered' | 'none') {
    this.type = type
    this.name = name
    if (sorting === 'none') return
    this.sortable = {
      isOrdered: sorting === 'ordered',
      elements: (root, _encoding, first, count, isReversed) => {
        const members = this.values.get(root)!.map(({ member }) => new Uint8Array(member))
        return (isReversed ? members.reverse() : members).slice(first, first + count)
      },
    }
  }

  create(members: Members): number {
    this.values.set(this.nextRoot, members)
    return this.nextRoot++
  }

  release(root: number): void {
    if (!this.values.delete(root)) throw new Error(`${this.name} ${root} is released twice`)
  }

  copy(root: number): number {
    return this.create([...this.values.get(root)!])
  }

  sizeBytes(): number {
    return 0
  }

  digest(): void {}

  length(root: number): number {
    return this.values.get(root)!.length
  }

  field(root: number, _encoding: number, field: Uint8Array): Uint8Array | null {
    return this.values.get(root)!.find(({ member }) => member.equals(field))?.value ?? null
  }

  fromElements(elements: readonly Uint8Array[]): { root: number; encoding: number } {
    const members = elements.map((element) => ({ member: Buffer.from(element), value: Buffer.alloc(0) }))
    return { root: this.create(members), encoding: ENCODING_LISTPACK }
  }
}

export interface PlainTypes {
  readonly types: readonly PlainType[]
  /** RPUSH, LRANGE key 0 -1, SADD, ZADD, HSET: without replies worth comparing. */
  readonly commands: readonly Command[]
}

export function plainTypes(): PlainTypes {
  const list = new PlainType(TYPE_LIST, 'list', 'ordered')
  const set = new PlainType(TYPE_SET, 'set', 'unordered')
  const zset = new PlainType(TYPE_ZSET, 'zset', 'ordered')
  const hash = new PlainType(TYPE_HASH, 'hash', 'none')
  const command = (name: string, run: Handler): Command =>
    defineCommand({ name, arity: -2, flags: 0, doc: { group: 'list', since: '1.0.0', summary: 'For tests.' }, run })
  const membersOf = (ctx: Session, argv: Argv, type: PlainType): Members => {
    const entry = ctx.db.write(argv, 1)
    if (entry !== NO_KEY) return type.values.get(ctx.db.rootOf(entry))!
    const members: Members = []
    ctx.db.addValue(argv.bytes, argv.starts[1]!, argv.lengths[1]!, type.type, ENCODING_LISTPACK, type.create(members))
    return members
  }
  const word = (argv: Argv, index: number) => Buffer.from(argv.copyOf(index))
  const put = (members: Members, member: Buffer, value: Buffer) => {
    const index = members.findIndex((other) => other.member.equals(member))
    if (index >= 0) members.splice(index, 1)
    members.push({ member, value })
  }
  return {
    types: [list, set, zset, hash],
    commands: [
      command('RPUSH', (ctx, argv, reply) => {
        const members = membersOf(ctx, argv, list)
        for (let i = 2; i < argv.count; i++) members.push({ member: word(argv, i), value: Buffer.alloc(0) })
        reply.integer(members.length)
      }),
      command('LRANGE', (ctx, argv, reply) => {
        const entry = ctx.db.read(argv, 1)
        const members = entry === NO_KEY ? [] : list.values.get(ctx.db.rootOf(entry))!
        reply.array(members.length)
        for (const { member } of members) reply.bulkBytes(member)
      }),
      command('SADD', (ctx, argv, reply) => {
        const members = membersOf(ctx, argv, set)
        for (let i = 2; i < argv.count; i++) put(members, word(argv, i), Buffer.alloc(0))
        reply.integer(members.length)
      }),
      command('ZADD', (ctx, argv, reply) => {
        const members = membersOf(ctx, argv, zset)
        for (let i = 2; i < argv.count; i += 2) put(members, word(argv, i + 1), word(argv, i))
        members.sort((a, b) => Number(a.value) - Number(b.value) || Buffer.compare(a.member, b.member))
        reply.integer(members.length)
      }),
      command('HSET', (ctx, argv, reply) => {
        const members = membersOf(ctx, argv, hash)
        for (let i = 2; i < argv.count; i += 2) put(members, word(argv, i), word(argv, i + 1))
        reply.integer(members.length)
      }),
    ],
  }
}
