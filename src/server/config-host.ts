/** What CONFIG needs of its server. */
import { assert } from '../base/assert.ts'
import { isLocal } from '../engine/dispatch.ts'
import { GATE_LOADING } from '../engine/gates.ts'
import type { ConfigCommandHost } from './commands/config.ts'
import { rewriteConfigFile } from './config/node-files.ts'
import { defaultUserLine } from './default-user.ts'
import type { Server } from './server.ts'

export function configHost(server: Server | null): ConfigCommandHost {
  const host = (): Server => {
    assert(server !== null, 'a command that needs a server was run without one')
    return server
  }
  return {
    get store() {
      return host().config
    },
    setContext: (session) => ({
      isLoading: (session.engine.gate & GATE_LOADING) !== 0 || session.engine.isAsyncLoading,
      isLocal: isLocal(session),
      canWait: !session.engine.isNested,
    }),
    redact: (session, argIndex) => session.redact(argIndex),
    resetStatistics: () => host().resetStatistics(),
    rewriteFile: () => rewriteConfig(host(), false),
    warn: (message) => host().logger.warning(message),
  }
}

/** Writes the configuration file anew. Null, or why it failed. */
export function rewriteConfig({ config, logger, modules, parts }: Server, writesAll: boolean): string | null {
  return rewriteConfigFile(
    config,
    { users: [defaultUserLine(config.fields.requirepass)], modules: modules.configLines(), writesAll },
    { random: parts.random, umask: process.umask(), log: (level, message) => logger.log(level, message) },
  )
}
