/** The hash commands. */
import type { Command } from '../../engine/command.ts'
import { hdel } from './delete.ts'
import { hexpire, hexpireat, hpexpire, hpexpireat } from './expire.ts'
import { hexists, hget, hlen, hmget, hstrlen } from './get.ts'
import { hgetall, hkeys, hvals } from './get-all.ts'
import { hgetdel, hgetex } from './get-and.ts'
import { hincrby, hincrbyfloat } from './increment.ts'
import { hrandfield } from './random-field.ts'
import { hscan } from './scan.ts'
import { hmset, hset, hsetnx } from './set.ts'
import { hsetex } from './set-expiring.ts'
import { hexpiretime, hpersist, hpexpiretime, hpttl, httl } from './time-to-live.ts'

export const hashCommands: readonly Command[] = [
  hdel,
  hexists,
  hexpire,
  hexpireat,
  hexpiretime,
  hget,
  hgetall,
  hgetdel,
  hgetex,
  hincrby,
  hincrbyfloat,
  hkeys,
  hlen,
  hmget,
  hmset,
  hpersist,
  hpexpire,
  hpexpireat,
  hpexpiretime,
  hpttl,
  hrandfield,
  hscan,
  hset,
  hsetex,
  hsetnx,
  hstrlen,
  httl,
  hvals,
]
