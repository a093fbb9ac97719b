/**
 * DBSIZE, SWAPDB, TIME. Source: Redis command reference (since 1.0.0, 4.0.0, 2.6.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand } from '../../engine/command.ts'
import { FAST, LOADING, READONLY, STALE, WRITE } from '../../engine/flags.ts'
import { ERR_DB_INDEX_OUT_OF_RANGE, errorReply } from '../../resp/errors.ts'

const ERR_FIRST_INDEX = errorReply('ERR invalid first DB index')
const ERR_SECOND_INDEX = errorReply('ERR invalid second DB index')
const INT_MAX = 0x7fff_ffff

export const dbsize = defineCommand({
  name: 'DBSIZE',
  arity: 1,
  flags: READONLY | FAST,
  acl: ['keyspace'],
  doc: {
    group: 'server',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Returns the number of keys in the selected database.',
  },
  run(ctx, _argv, reply) {
    reply.integer(ctx.db.size)
  },
})

/** SWAPDB index1 index2: whoever has selected one of them sees the other's keys from now on. */
export const swapdb = defineCommand({
  name: 'SWAPDB',
  arity: 3,
  flags: WRITE | FAST,
  acl: ['keyspace', 'dangerous'],
  doc: {
    group: 'server',
    since: '4.0.0',
    complexity: 'O(N) where N is the count of clients watching or blocking on keys from both databases.',
    summary: 'Exchanges the contents of two databases.',
  },
  run(ctx, argv, reply) {
    const first = readIndex(argv, 1)
    if (first === null) return reply.error(ERR_FIRST_INDEX)
    const second = readIndex(argv, 2)
    if (second === null) return reply.error(ERR_SECOND_INDEX)
    const { keyspace, keyWaiters, watch } = ctx.engine
    const { databases } = keyspace
    const isThere = (index: number) => index >= 0 && index < databases.length
    if (!isThere(first) || !isThere(second)) return reply.error(ERR_DB_INDEX_OUT_OF_RANGE)
    if (first !== second) {
      const a = databases[first]!
      const b = databases[second]!
      watch.touchAll(a, b)
      watch.touchAll(b, a)
      keyWaiters.beforeReplaced(a, b)
      keyWaiters.beforeReplaced(b, a)
      keyspace.swap(first, second)
      keyWaiters.replaced(a)
      keyWaiters.replaced(b)
    }
    ctx.dirtied(1)
    reply.ok()
  },
})

/** TIME: seconds and microseconds since the epoch. */
export const time = defineCommand({
  name: 'TIME',
  arity: 1,
  flags: LOADING | STALE | FAST,
  doc: {
    group: 'server',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Returns the time of the server: seconds and microseconds.',
  },
  run(ctx, _argv, reply) {
    const us = ctx.engine.clock.wallUs()
    const seconds = Math.floor(us / 1e6)
    reply.array(2)
    reply.bulkInteger(seconds)
    reply.bulkInteger(us - seconds * 1e6)
  },
})

/** An index that fits C's int, or null. */
function readIndex(argv: Argv, at: number): number | null {
  const index = argv.safeInt(at)
  return Math.abs(index) <= INT_MAX ? index : null
}
