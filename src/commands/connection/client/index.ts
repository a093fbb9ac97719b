/** CLIENT: the connections of clients. Source: Redis command reference, CLIENT (since 2.4.0). */
import { type CommandDefinition, defineCommand } from '../../../engine/command.ts'
import { LOADING, SENTINEL, STALE } from '../../../engine/flags.ts'
import { replyHelp } from '../../../engine/help.ts'
import { pause, reply, unblock, unpause } from './control.ts'
import { getName, getRedir, id, info, list, noEvict, setName, trackingInfo } from './facts.ts'
import { kill } from './kill.ts'
import { doc } from './shared.ts'

const HELP = [
  'GETREDIR',
  '    Return the client ID we are redirecting to when tracking is enabled.',
  'GETNAME',
  '    Return the name of the current connection.',
  'ID',
  '    Return the ID of the current connection.',
  'INFO',
  '    Return information about the current client connection.',
  'KILL <ip:port>',
  '    Kill connection made from <ip:port>.',
  'KILL <option> <value> [<option> <value> [...]]',
  '    Kill connections. Options are:',
  '    * ADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made from the specified address',
  '    * LADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made to specified local address',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Kill connections by type.',
  '    * USER <username>',
  '      Kill connections authenticated by <username>.',
  '    * SKIPME (YES|NO)',
  '      Skip killing current connection (default: yes).',
  'LIST [options ...]',
  '    Return information about client connections. Options:',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Return clients of specified type.',
  'UNPAUSE',
  '    Stop the current client pause, resuming traffic.',
  'PAUSE <timeout> [WRITE|ALL]',
  '    Suspend all, or just write, clients for <timeout> milliseconds.',
  'REPLY (ON|OFF|SKIP)',
  '    Control the replies sent to the current connection.',
  'SETNAME <name>',
  '    Assign the name <name> to the current connection.',
  'UNBLOCK <clientid> [TIMEOUT|ERROR]',
  '    Unblock the specified blocked client.',
  'TRACKINGINFO',
  '    Report tracking status for the current connection.',
  'NO-EVICT (ON|OFF)',
  '    Protect current client connection from eviction.',
]

const help: CommandDefinition = {
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE | SENTINEL,
  acl: ['connection'],
  doc: doc('5.0.0', 'O(1)', 'Lists the subcommands.'),
  run(_ctx, _argv, out) {
    replyHelp(out, 'CLIENT', HELP)
  },
}

export const client = defineCommand({
  name: 'CLIENT',
  arity: -2,
  flags: SENTINEL,
  doc: doc('2.4.0', 'Depends on the subcommand.', 'Commands about connections of clients.'),
  subcommands: [
    getName,
    getRedir,
    help,
    id,
    info,
    kill,
    list,
    noEvict,
    pause,
    reply,
    setName,
    trackingInfo,
    unblock,
    unpause,
  ],
})
