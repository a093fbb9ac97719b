/** Every command of the server itself: the lists of all families, in the order of the command reference. */
import { ping } from '../commands/connection/ping.ts'
import { serverCommands } from '../commands/server/index.ts'
import { stringCommands } from '../commands/string/index.ts'
import type { Command } from '../engine/command.ts'

export const builtInCommands: readonly Command[] = [ping, ...stringCommands, ...serverCommands]
