/** The list commands. */
import type { Command } from '../../engine/command.ts'
import { blmove, brpoplpush } from './blocking-move.ts'
import { blmpop, blpop, brpop } from './blocking-pop.ts'
import { linsert, lrem, lset, ltrim } from './edit.ts'
import { lindex, llen, lpos, lrange } from './look.ts'
import { lmove, rpoplpush } from './move.ts'
import { lmpop, lpop, rpop } from './pop.ts'
import { lpush, lpushx, rpush, rpushx } from './push.ts'

export const listCommands: readonly Command[] = [
  blmove,
  blmpop,
  blpop,
  brpop,
  brpoplpush,
  lindex,
  linsert,
  llen,
  lmove,
  lmpop,
  lpop,
  lpos,
  lpush,
  lpushx,
  lrange,
  lrem,
  lset,
  ltrim,
  rpop,
  rpoplpush,
  rpush,
  rpushx,
]
