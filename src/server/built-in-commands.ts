/**
 * Every command of the server itself: the lists of all families, in the order of the command reference.
 */
import { bitmapCommands } from '../commands/bitmap/index.ts'
import { connectionCommands, type Greeting } from '../commands/connection/index.ts'
import { genericCommands } from '../commands/generic/index.ts'
import { geoCommands } from '../commands/geo/index.ts'
import { hashCommands } from '../commands/hash/index.ts'
import { hyperloglogCommands } from '../commands/hyperloglog/index.ts'
import { listCommands } from '../commands/list/index.ts'
import { pubsubCommands } from '../commands/pubsub/index.ts'
import { serverCommands } from '../commands/server/index.ts'
import { setCommands } from '../commands/set/index.ts'
import { streamCommands } from '../commands/stream/index.ts'
import { stringCommands } from '../commands/string/index.ts'
import { transactionCommands } from '../commands/transactions/index.ts'
import { zsetCommands } from '../commands/zset/index.ts'
import type { Command } from '../engine/command.ts'
import { persistenceCommands } from '../persistence/commands/index.ts'
import { replicationCommands } from '../replication/commands.ts'
import { configCommands } from './commands/config.ts'
import { debugCommands } from './commands/debug/index.ts'
import { infoCommands } from './commands/info.ts'
import { latencyCommands } from './commands/latency.ts'
import { memoryCommands } from './commands/memory.ts'
import { migrateCommands } from './commands/migrate.ts'
import { moduleCommands, replyModules } from './commands/module.ts'
import { shutdownCommands } from './commands/shutdown.ts'
import { slowlog } from './commands/slowlog.ts'
import { configHost } from './config-host.ts'
import type { Server } from './server.ts'

/** The commands of one server. Without a server they can be described, not run. */
export function builtInCommands(server: Server | null): readonly Command[] {
  return [
    ...connectionCommands(server === null ? undefined : greetingOf(server)),
    ...transactionCommands,
    ...pubsubCommands,
    ...genericCommands,
    ...stringCommands,
    ...listCommands,
    ...hashCommands,
    ...setCommands,
    ...zsetCommands,
    ...geoCommands,
    ...streamCommands(),
    ...bitmapCommands(),
    ...hyperloglogCommands,
    ...serverCommands,
    ...persistenceCommands(() => server!.persistence),
    ...replicationCommands(() => server!.replication),
    ...configCommands(configHost(server)),
    ...debugCommands(server),
    ...infoCommands(server),
    slowlog,
    ...latencyCommands(server),
    ...memoryCommands(server),
    ...migrateCommands(server),
    ...moduleCommands(server),
    ...shutdownCommands(server),
  ]
}

/** What HELLO tells of this server. */
function greetingOf(server: Server): Greeting {
  return {
    role: () => (server.replication.isReplica ? 'replica' : 'master'),
    replyModules: (reply) => replyModules(reply, server.modules.list()),
  }
}
