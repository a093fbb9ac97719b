/** The connection commands. */
import type { Command } from '../../engine/command.ts'
import { auth } from './auth.ts'
import { client } from './client/index.ts'
import { asking, readonly, readwrite } from './cluster.ts'
import { type Greeting, helloCommand } from './hello.ts'
import { monitor } from './monitor.ts'
import { echo, ping } from './ping.ts'
import { quit, reset } from './quit.ts'
import { select } from './select.ts'

export type { Greeting } from './hello.ts'

/** A master without modules. */
const PLAIN_GREETING: Greeting = {
  role: () => 'master',
  replyModules: (reply) => reply.array(0),
}

export function connectionCommands(greeting: Greeting = PLAIN_GREETING): readonly Command[] {
  return [auth, client, echo, helloCommand(greeting), ping, quit, reset, select, monitor, asking, readonly, readwrite]
}
