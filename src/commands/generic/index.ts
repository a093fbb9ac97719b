/** The generic commands: keys whatever they hold. DUMP and RESTORE are with persistence. */
import type { Command } from '../../engine/command.ts'
import { del, unlink } from './delete.ts'
import { expire, expireat, persist, pexpire, pexpireat } from './expire.ts'
import { exists, keys, randomkey, touch, type } from './look.ts'
import { object } from './object.ts'
import { copy, move, rename, renamenx } from './rename.ts'
import { scan } from './scan.ts'
import { sort, sortRo } from './sort/sort.ts'
import { expiretime, pexpiretime, pttl, ttl } from './time-to-live.ts'
import { wait } from './wait.ts'

export const genericCommands: readonly Command[] = [
  copy,
  del,
  exists,
  expire,
  expireat,
  expiretime,
  keys,
  move,
  object,
  persist,
  pexpire,
  pexpireat,
  pexpiretime,
  pttl,
  randomkey,
  rename,
  renamenx,
  scan,
  sort,
  sortRo,
  touch,
  ttl,
  type,
  unlink,
  wait,
]
