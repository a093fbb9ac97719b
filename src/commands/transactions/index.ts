/** The transaction commands. */
import type { Command } from '../../engine/command.ts'
import { discard, exec, multi } from './transaction.ts'
import { unwatch, watch } from './watch.ts'

export const transactionCommands: readonly Command[] = [discard, exec, multi, unwatch, watch]
