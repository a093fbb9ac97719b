/**
 * INFO: sections of lines "field:value" under a heading, in Redis's order whatever the order asked for.
 * Fields and their order are pinned by test/compat/info.test.ts.
 */
import type { Server } from '../server.ts'
import type { Field } from './field.ts'
import { clientsSection, clusterSection, keyspaceSection, modulesSection, serverSection } from './general.ts'
import { memorySection } from './memory.ts'
import { persistenceSection } from './persistence.ts'
import { replicationSection } from './replication.ts'
import { commandStatsSection, cpuSection, errorStatsSection, latencyStatsSection, statsSection } from './stats.ts'

interface Section {
  /** As clients ask for it, and with a capital as it is headed. */
  readonly name: string
  /** Under another name as well. */
  readonly alias?: string
  /** Part of what INFO without arguments says. */
  readonly isDefault: boolean
  readonly fields: (server: Server) => Iterable<Field>
}

const SECTIONS: readonly Section[] = [
  { name: 'server', isDefault: true, fields: serverSection },
  { name: 'clients', isDefault: true, fields: clientsSection },
  { name: 'memory', isDefault: true, fields: memorySection },
  { name: 'persistence', isDefault: true, fields: persistenceSection },
  { name: 'stats', isDefault: true, fields: statsSection },
  { name: 'replication', isDefault: true, fields: replicationSection },
  { name: 'cpu', isDefault: true, fields: cpuSection },
  { name: 'modules', alias: 'module_list', isDefault: true, fields: modulesSection },
  { name: 'commandstats', isDefault: false, fields: commandStatsSection },
  { name: 'errorstats', isDefault: true, fields: errorStatsSection },
  { name: 'latencystats', isDefault: false, fields: latencyStatsSection },
  { name: 'cluster', isDefault: true, fields: clusterSection },
  { name: 'keyspace', isDefault: true, fields: keyspaceSection },
]

/** @param asked names of sections in any case; "default", "all" and "everything" stand for several. None: the default. */
export function infoText(server: Server, asked: readonly string[]): string {
  const names = new Set(asked.map((name) => name.toLowerCase()))
  const all = names.has('all') || names.has('everything')
  const defaults = asked.length === 0 || names.has('default')
  const parts: string[] = []
  for (const section of SECTIONS) {
    const { name, alias, isDefault, fields } = section
    if (!all && !(defaults && isDefault) && !names.has(name) && !(alias !== undefined && names.has(alias))) continue
    let text = `# ${name === 'cpu' ? 'CPU' : name[0]!.toUpperCase() + name.slice(1)}\r\n`
    for (const [field, value] of fields(server)) text += `${field}:${value}\r\n`
    parts.push(text)
  }
  return parts.join('\r\n')
}
