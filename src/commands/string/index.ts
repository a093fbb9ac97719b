/** The string commands. */
import type { Command } from '../../engine/command.ts'
import { get, getdel, getex, getset, strlen } from './get.ts'
import { decr, decrby, incr, incrby } from './increment.ts'
import { incrbyfloat } from './increment-float.ts'
import { lcs } from './lcs.ts'
import { mget, mset, msetnx } from './multiple.ts'
import { append, getrange, setrange, substr } from './range.ts'
import { psetex, set, setex, setnx } from './set.ts'

export const stringCommands: readonly Command[] = [
  append,
  decr,
  decrby,
  get,
  getdel,
  getex,
  getrange,
  getset,
  incr,
  incrby,
  incrbyfloat,
  lcs,
  mget,
  mset,
  msetnx,
  psetex,
  set,
  setex,
  setnx,
  setrange,
  strlen,
  substr,
]
