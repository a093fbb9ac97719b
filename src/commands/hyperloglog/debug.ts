/**
 * PFDEBUG subcommand key: looks into a HyperLogLog. PFSELFTEST: checks the implementation.
 * Source: Redis's own test suite, which uses them, and their behaviour in Redis 7.0.15.
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, KEY_ACCESS, KEY_RW, keyAt } from '../../engine/command.ts'
import { ADMIN, DENYOOM, WRITE } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorReply } from '../../resp/errors.ts'
import { decodeSparse, denseRegister, HLL_DENSE, HLL_REGISTERS, hllEncoding } from '../../structures/hyperloglog.ts'
import { hyperLogLogFault } from '../../structures/hyperloglog-self-test.ts'
import { checked, ERR_CORRUPT, load, opened, store } from './values.ts'

const ERR_MISSING = errorReply('ERR The specified key does not exist')
const ERR_NOT_SPARSE = errorReply('ERR HLL encoding is not sparse')

/** GETREG: all registers, of a value that is dense from then on. DECODE: sparse opcodes. ENCODING. TODENSE: 1 if it was not. */
export const pfdebug = defineCommand({
  name: 'PFDEBUG',
  arity: 3,
  flags: WRITE | DENYOOM | ADMIN,
  acl: ['hyperloglog'],
  keys: [keyAt(2, KEY_RW | KEY_ACCESS)],
  doc: {
    group: 'hyperloglog',
    since: '2.8.9',
    complexity: 'N/A',
    summary: 'Shows what a HyperLogLog is made of.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const found = checked(db, db.writeString(argv, 2), reply)
    if (found === WRONG_TYPE) return
    if (found === NO_KEY) return reply.error(ERR_MISSING)
    const entry = opened(db, found)
    const at = db.valueAt(entry)
    const isDense = hllEncoding(db.bytesOf(entry), at) === HLL_DENSE
    if (argv.is(1, 'GETREG')) {
      if (!isDense && !makeDense(ctx, argv, entry)) return reply.error(ERR_CORRUPT)
      const dense = db.write(argv, 2)
      reply.array(HLL_REGISTERS)
      for (let i = 0; i < HLL_REGISTERS; i++) reply.integer(denseRegister(db.bytesOf(dense), db.valueAt(dense), i))
    } else if (argv.is(1, 'DECODE')) {
      if (isDense) return reply.error(ERR_NOT_SPARSE)
      reply.bulkLatin1(decodeSparse(db.bytesOf(entry), at, db.valueLength(entry)))
    } else if (argv.is(1, 'ENCODING')) reply.status(isDense ? 'dense' : 'sparse')
    else if (argv.is(1, 'TODENSE')) {
      if (!isDense && !makeDense(ctx, argv, entry)) return reply.error(ERR_CORRUPT)
      reply.integer(isDense ? 0 : 1)
    } else reply.errorText(`ERR Unknown PFDEBUG subcommand '${argv.latin1(1).replace(/\0.*$/s, '')}'`)
  },
})

export const pfselftest = defineCommand({
  name: 'PFSELFTEST',
  arity: 1,
  flags: ADMIN,
  acl: ['hyperloglog'],
  doc: {
    group: 'hyperloglog',
    since: '2.8.9',
    complexity: 'N/A',
    summary: 'Checks the implementation of HyperLogLogs.',
  },
  run(ctx, _argv, reply) {
    const { keyspace } = ctx.engine
    const fault = hyperLogLogFault(keyspace.random, keyspace.limits.hllSparseMaxBytes)
    if (fault === null) reply.ok()
    else reply.errorText(`ERR TESTFAILED ${fault}`)
  },
})

/** False if the value is corrupt. That it is dense now is propagated. */
function makeDense(ctx: Session, argv: Argv, sparse: Ref): boolean {
  const { db } = ctx
  const hll = db.keyspace.hyperloglog
  load(hll, db, sparse)
  if (!hll.makeDense()) return false
  store(ctx, argv, 2, sparse, hll)
  ctx.dirtied(1)
  return true
}
