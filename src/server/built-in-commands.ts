/**
 * Every command of the server itself: the lists of all families, in the order of the command reference.
 */
import { bitmapCommands } from '../commands/bitmap/index.ts'
import { connectionCommands } from '../commands/connection/index.ts'
import { serverCommands } from '../commands/server/index.ts'
import { stringCommands } from '../commands/string/index.ts'
import type { Command } from '../engine/command.ts'
import { configCommands } from './commands/config.ts'
import { debugCommands } from './commands/debug/index.ts'
import { infoCommands } from './commands/info.ts'
import { latencyCommands } from './commands/latency.ts'
import { memoryCommands } from './commands/memory.ts'
import { moduleCommands } from './commands/module.ts'
import { shutdownCommands } from './commands/shutdown.ts'
import { slowlog } from './commands/slowlog.ts'
import { configHost } from './config-host.ts'
import type { Server } from './server.ts'

/** The commands of one server. Without a server they can be described, not run. */
export function builtInCommands(server: Server | null): readonly Command[] {
  return [
    ...connectionCommands,
    ...stringCommands,
    ...bitmapCommands,
    ...serverCommands,
    ...configCommands(configHost(server)),
    ...debugCommands(server),
    ...infoCommands(server),
    slowlog,
    ...latencyCommands(server),
    ...memoryCommands(server),
    ...moduleCommands(server),
    ...shutdownCommands(server),
  ]
}
