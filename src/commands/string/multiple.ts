/**
 * MGET, MSET, MSETNX: several keys at once, all or nothing.
 * Source: Redis command reference (since 1.0.0, 1.0.1).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, KEY_ACCESS, KEY_INSERT, KEY_OW, KEY_RO, KEY_UPDATE, keyRange } from '../../engine/command.ts'
import { DENYOOM, FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { storeString } from './set.ts'

export const mget = defineCommand({
  name: 'MGET',
  arity: -2,
  flags: READONLY | FAST,
  acl: ['string'],
  keys: [keyRange(1, -1, 1, KEY_RO | KEY_ACCESS)],
  tips: ['request_policy:multi_shard'],
  doc: {
    group: 'string',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys to retrieve.',
    summary: 'Returns the values of several string keys.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    reply.array(argv.count - 1)
    for (let i = 1; i < argv.count; i++) {
      const entry = db.readString(argv, i)
      if (entry === NO_KEY || entry === WRONG_TYPE) reply.null()
      else db.writeValue(entry, reply)
    }
  },
})

export const mset = defineCommand({
  name: 'MSET',
  arity: -3,
  flags: WRITE | DENYOOM,
  acl: ['string'],
  keys: [keyRange(1, -1, 2, KEY_OW | KEY_UPDATE)],
  tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
  doc: {
    group: 'string',
    since: '1.0.1',
    complexity: 'O(N) where N is the number of keys to set.',
    summary: 'Sets several keys to strings, all at once.',
  },
  run(ctx, argv, reply) {
    if (isUneven(argv, 'mset', reply)) return
    storeAll(ctx, argv)
    reply.ok()
  },
})

export const msetnx = defineCommand({
  name: 'MSETNX',
  arity: -3,
  flags: WRITE | DENYOOM,
  acl: ['string'],
  keys: [keyRange(1, -1, 2, KEY_OW | KEY_INSERT)],
  doc: {
    group: 'string',
    since: '1.0.1',
    complexity: 'O(N) where N is the number of keys to set.',
    summary: 'Sets several keys to strings if none of them exists.',
  },
  run(ctx, argv, reply) {
    if (isUneven(argv, 'msetnx', reply)) return
    for (let i = 1; i < argv.count; i += 2) if (ctx.db.write(argv, i) !== NO_KEY) return reply.integer(0)
    storeAll(ctx, argv)
    reply.integer(1)
  },
})

function isUneven(argv: Argv, command: string, reply: ReplyWriter): boolean {
  if (argv.count % 2 === 1) return false
  reply.errorText(`ERR wrong number of arguments for '${command}' command`)
  return true
}

function storeAll(ctx: Session, argv: Argv): void {
  for (let i = 1; i < argv.count; i += 2) {
    storeString(ctx, argv, i, i + 1, false)
    ctx.changed(argv, i, NOTIFY_STRING, 'set')
  }
}
