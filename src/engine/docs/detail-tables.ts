/** The details of commands, from their own declaration or from the table of their group. */
import type { Command } from '../command.ts'
import { bitmapDetails } from './bitmap.ts'
import { clusterDetails } from './cluster.ts'
import { connectionDetails } from './connection.ts'
import type { CommandDetails, DetailTable } from './details.ts'
import { genericDetails } from './generic.ts'
import { geoDetails } from './geo.ts'
import { hashDetails } from './hash.ts'
import { hyperloglogDetails } from './hyperloglog.ts'
import { listDetails } from './list.ts'
import { pubsubDetails } from './pubsub.ts'
import { scriptingDetails } from './scripting.ts'
import { serverDetails } from './server.ts'
import { setDetails } from './set.ts'
import { sortedSetDetails } from './sorted-set.ts'
import { streamDetails } from './stream.ts'
import { stringDetails } from './string.ts'
import { transactionsDetails } from './transactions.ts'

/** In the order of the command reference. */
const TABLES: ReadonlyMap<string, () => DetailTable> = new Map([
  ['connection', connectionDetails],
  ['generic', genericDetails],
  ['string', stringDetails],
  ['bitmap', bitmapDetails],
  ['list', listDetails],
  ['set', setDetails],
  ['hash', hashDetails],
  ['sorted-set', sortedSetDetails],
  ['stream', streamDetails],
  ['geo', geoDetails],
  ['hyperloglog', hyperloglogDetails],
  ['transactions', transactionsDetails],
  ['pubsub', pubsubDetails],
  ['scripting', scriptingDetails],
  ['cluster', clusterDetails],
  ['server', serverDetails],
])

export const COMMAND_GROUPS: readonly string[] = [...TABLES.keys()]

/** The details of all commands of a group. */
export function detailTable(group: string): DetailTable {
  return TABLES.get(group)?.() ?? {}
}

/** Looks up details for as long as one reply takes: a table that was made is kept until then. */
export class DetailReader {
  private readonly made = new Map<string, DetailTable>()

  of(command: Command): CommandDetails {
    const { doc } = command
    const found = this.table(doc.group)[command.fullName]
    return found === undefined ? doc : { ...found, ...doc }
  }

  private table(group: string): DetailTable {
    let table = this.made.get(group)
    if (table === undefined) {
      table = detailTable(group)
      this.made.set(group, table)
    }
    return table
  }
}
