/** The commands on sorted sets. */
import type { Command } from '../../engine/command.ts'
import { zadd, zincrby } from './add.ts'
import { bzmpop, bzpopmax, bzpopmin } from './blocking.ts'
import { zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore } from './combine.ts'
import { zmpop, zpopmax, zpopmin } from './pop.ts'
import { zrandmember } from './random.ts'
import {
  zrange,
  zrangebylex,
  zrangebyscore,
  zrangestore,
  zrevrange,
  zrevrangebylex,
  zrevrangebyscore,
} from './range.ts'
import { zrem, zremrangebylex, zremrangebyrank, zremrangebyscore } from './remove.ts'
import { zscan } from './scan.ts'
import { zcard, zcount, zlexcount, zmscore, zrank, zrevrank, zscore } from './score.ts'

export const zsetCommands: readonly Command[] = [
  bzmpop,
  bzpopmax,
  bzpopmin,
  zadd,
  zcard,
  zcount,
  zdiff,
  zdiffstore,
  zincrby,
  zinter,
  zintercard,
  zinterstore,
  zlexcount,
  zmpop,
  zmscore,
  zpopmax,
  zpopmin,
  zrandmember,
  zrange,
  zrangebylex,
  zrangebyscore,
  zrangestore,
  zrank,
  zrem,
  zremrangebylex,
  zremrangebyrank,
  zremrangebyscore,
  zrevrange,
  zrevrangebylex,
  zrevrangebyscore,
  zrevrank,
  zscan,
  zscore,
  zunion,
  zunionstore,
]
