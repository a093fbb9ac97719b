/**
 * ASKING, READONLY, READWRITE: what clients of a cluster send. Without a cluster they are told so.
 * Source: Redis command reference (since 3.0.0).
 */
import { type Command, defineCommand, type Handler } from '../../engine/command.ts'
import { FAST, LOADING, STALE } from '../../engine/flags.ts'
import { errorReply } from '../../resp/errors.ts'

const ERR_NO_CLUSTER = errorReply('ERR This instance has cluster support disabled')

const refuse: Handler = (_ctx, _argv, reply) => reply.error(ERR_NO_CLUSTER)

function clusterCommand(name: string, flags: number, summary: string): Command {
  return defineCommand({
    name,
    arity: 1,
    flags,
    acl: ['connection'],
    doc: { group: 'cluster', since: '3.0.0', complexity: 'O(1)', summary },
    run: refuse,
  })
}

export const asking = clusterCommand('ASKING', FAST, 'Lets the next command work on a slot that is about to arrive.')
export const readonly = clusterCommand('READONLY', FAST | LOADING | STALE, 'Allows reads on a replica of a cluster.')
export const readwrite = clusterCommand('READWRITE', FAST | LOADING | STALE, 'Ends what READONLY allowed.')
