/**
 * The report of a bug, in the manner of Redis's: between two lines that tools look for, what failed, where, and what
 * was being executed.
 */
import { O7_VERSION, REDIS_VERSION } from '../base/version.ts'
import type { Session } from '../engine/session.ts'
import type { Server } from './server.ts'

export function crashReport(server: Server, error: unknown, session: Session | null): string {
  const lines = [
    '',
    '',
    '=== REDIS BUG REPORT START: Cut & paste starting from here ===',
    `o7-is ${O7_VERSION} (Redis ${REDIS_VERSION}), Node.js ${process.version}, ${process.platform} ${process.arch}`,
    `Failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  ]
  if (session !== null) {
    lines.push('', '------ CURRENT CLIENT INFO ------')
    lines.push(
      `id=${session.id} addr=${session.address} name=${session.name} db=${session.db.index} resp=${session.protocol}`,
    )
    lines.push(`last command: ${session.lastCommand?.command.fullName ?? 'NULL'}`)
  }
  const { keyspace, sessions } = server.engine
  lines.push('', '------ STATE ------')
  lines.push(`keys: ${keyspace.keyCount()}, memory in use: ${keyspace.arena.usedBytes}, clients: ${sessions.size}`)
  lines.push('', '=== REDIS BUG REPORT END. Make sure to include from START to END. ===', '')
  lines.push('       Please report the crash by opening an issue of the o7-is project with this text.', '')
  return `${lines.join('\n')}\n`
}
