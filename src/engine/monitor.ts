/**
 * MONITOR: every command that is executed, as a line to those who watch.
 */
import type { Argv } from '../base/argv.ts'
import { reprText } from '../base/quoting.ts'
import type { CommandEntry } from './command-table.ts'
import type { Engine } from './engine.ts'
import { ADMIN, SKIP_MONITOR } from './flags.ts'
import { GATE_LOADING } from './gates.ts'
import { LOADER, REPLY_OFF, REPLY_SKIP, type Session, UNIX_SOCKET } from './session.ts'

export function feedMonitors(engine: Engine, session: Session, entry: CommandEntry, argv: Argv): void {
  if ((entry.flags & (SKIP_MONITOR | ADMIN)) !== 0 || session.has(LOADER) || (engine.gate & GATE_LOADING) !== 0) return
  const us = engine.clock.wallUs()
  const seconds = Math.floor(us / 1e6)
  const fraction = String(us - seconds * 1e6).padStart(6, '0')
  const from = session.has(UNIX_SOCKET) ? `unix:${session.address.replace(/:0$/, '')}` : session.address
  let line = `+${seconds}.${fraction} [${session.db.index} ${from}]`
  for (let i = 0; i < argv.count; i++) {
    const start = argv.starts[i]!
    line += ` ${reprText(argv.bytes, start, start + argv.lengths[i]!)}`
  }
  const bytes = new Uint8Array(Buffer.from(`${line}\r\n`, 'latin1'))
  // To CLIENT REPLY OFF these lines are replies like any other.
  for (const monitor of engine.monitors) if (!monitor.has(REPLY_OFF | REPLY_SKIP)) engine.enqueue(monitor, bytes)
}
