import type { Command } from '../../engine/command.ts'
import { xack } from './acknowledge.ts'
import { xadd } from './add.ts'
import { xautoclaim, xclaim } from './claim.ts'
import { xgroup } from './group.ts'
import { xinfo } from './info.ts'
import { xpending } from './pending.ts'
import { xlen, xrange, xrevrange } from './range.ts'
import { xread, xreadgroup } from './read.ts'
import { xsetid } from './set-id.ts'
import { xdel, xtrim } from './trim.ts'
import { AddOptions } from './trim-options.ts'

/** The stream commands of one server. */
export function streamCommands(): readonly Command[] {
  const options = new AddOptions()
  return [
    xack,
    xadd(options),
    xautoclaim,
    xclaim,
    xdel,
    xgroup,
    xinfo,
    xlen,
    xpending,
    xrange,
    xread,
    xreadgroup,
    xrevrange,
    xsetid,
    xtrim(options),
  ]
}
