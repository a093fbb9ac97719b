/** The set commands. */
import type { Command } from '../../engine/command.ts'
import { sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore } from './algebra.ts'
import { sadd, scard, sismember, smembers, smismember, smove, srem } from './members.ts'
import { spop, srandmember } from './random.ts'
import { sscan } from './sscan.ts'

export const setCommands: readonly Command[] = [
  sadd,
  scard,
  sdiff,
  sdiffstore,
  sinter,
  sintercard,
  sinterstore,
  sismember,
  smembers,
  smismember,
  smove,
  spop,
  srandmember,
  srem,
  sscan,
  sunion,
  sunionstore,
]
