/**
 * INFO [section ...]: what a server tells of itself. See server/info/ for the sections.
 * Source: Redis command reference, INFO (since 1.0.0).
 */
import { type Command, defineCommand } from '../../engine/command.ts'
import { LOADING, SENTINEL, STALE } from '../../engine/flags.ts'
import { infoText } from '../info/info.ts'
import type { Server } from '../server.ts'
import { serverOf } from './host.ts'

export function infoCommands(server: Server | null): readonly Command[] {
  return [
    defineCommand({
      name: 'INFO',
      arity: -1,
      flags: LOADING | STALE | SENTINEL,
      acl: ['dangerous'],
      doc: {
        group: 'server',
        since: '1.0.0',
        complexity: 'O(1)',
        summary: 'Reports facts and figures about the server, by sections.',
      },
      run(_ctx, argv, reply) {
        const asked: string[] = []
        for (let i = 1; i < argv.count; i++) asked.push(argv.latin1(i))
        reply.verbatim(infoText(serverOf(server), asked), 'txt')
      },
    }),
  ]
}
