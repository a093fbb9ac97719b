/** The string commands. */
import type { Command } from '../../engine/command.ts'
import { get } from './get.ts'
import { decr, decrby, incr, incrby } from './increment.ts'
import { mget, mset, msetnx } from './multiple.ts'
import { set } from './set.ts'

export const stringCommands: readonly Command[] = [get, set, incr, decr, incrby, decrby, mget, mset, msetnx]
