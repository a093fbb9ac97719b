/**
 * Every command of the server itself: the lists of all families, in the order of the command reference.
 */
import { connectionCommands } from '../commands/connection/index.ts'
import { serverCommands } from '../commands/server/index.ts'
import { stringCommands } from '../commands/string/index.ts'
import type { Command } from '../engine/command.ts'
import { configCommands } from './commands/config.ts'
import { configHost } from './config-host.ts'
import type { Server } from './server.ts'

/** The commands of one server. Without a server they can be described, not run. */
export function builtInCommands(server: Server | null): readonly Command[] {
  return [...connectionCommands, ...stringCommands, ...serverCommands, ...configCommands(configHost(server))]
}
