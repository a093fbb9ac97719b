/** The server commands that need the engine alone. */
import type { Command } from '../../engine/command.ts'
import { command } from './command.ts'
import { dbsize, swapdb, time } from './databases.ts'
import { flushall, flushdb } from './flush.ts'
import { lolwut } from './lolwut.ts'

export const serverCommands: readonly Command[] = [command, dbsize, flushall, flushdb, lolwut, swapdb, time]
