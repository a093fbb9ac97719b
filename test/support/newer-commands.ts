/** Commands that came after redis-server 7.0, the version that tests compare with. */
import type { Command } from '../../src/engine/command.ts'

export function isNewer({ doc }: Command): boolean {
  return /^(7\.[1-9]|[89]\.)/.test(doc.since)
}
