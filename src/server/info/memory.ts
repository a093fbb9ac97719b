/** INFO memory. */
import os from 'node:os'
import { bytesToHuman } from '../../base/byte-text.ts'
import { fixedText } from '../../base/double-text.ts'
import { ALLOCATOR } from '../../base/version.ts'
import { memoryReport, type Overhead } from '../memory-report.ts'
import type { Server } from '../server.ts'
import type { Field } from './field.ts'

export function* memorySection(server: Server): Generator<Field> {
  const report = memoryReport(server)
  const { fields } = server.config
  const { lazyFree } = server.engine.keyspace
  const systemBytes = os.totalmem()
  yield ['used_memory', report.usedBytes]
  yield ['used_memory_human', bytesToHuman(report.usedBytes)]
  yield ['used_memory_rss', report.rssBytes]
  yield ['used_memory_rss_human', bytesToHuman(report.rssBytes)]
  yield ['used_memory_peak', report.peakBytes]
  yield ['used_memory_peak_human', bytesToHuman(report.peakBytes)]
  yield ['used_memory_peak_perc', `${fixedText(report.peakPercent, 2)}%`]
  yield ['used_memory_overhead', report.overheadBytes]
  yield ['used_memory_startup', report.startupBytes]
  yield ['used_memory_dataset', report.datasetBytes]
  yield ['used_memory_dataset_perc', `${fixedText(report.datasetPercent, 2)}%`]
  yield ['allocator_allocated', report.allocatedBytes]
  yield ['allocator_active', report.activeBytes]
  yield ['allocator_resident', report.residentBytes]
  yield ['total_system_memory', systemBytes]
  yield ['total_system_memory_human', bytesToHuman(systemBytes)]
  // Scripts and functions: there is no Lua machine that could use memory.
  yield ['used_memory_lua', 0]
  yield ['used_memory_vm_eval', 0]
  yield ['used_memory_lua_human', bytesToHuman(0)]
  yield ['used_memory_scripts_eval', 0]
  yield ['number_of_cached_scripts', 0]
  yield ['number_of_functions', 0]
  yield ['number_of_libraries', 0]
  yield ['used_memory_vm_functions', 0]
  yield ['used_memory_vm_total', 0]
  yield ['used_memory_vm_total_human', bytesToHuman(0)]
  yield ['used_memory_functions', 0]
  yield ['used_memory_scripts', 0]
  yield ['used_memory_scripts_human', bytesToHuman(0)]
  yield ['maxmemory', fields.maxmemory]
  yield ['maxmemory_human', bytesToHuman(fields.maxmemory)]
  yield ['maxmemory_policy', fields.maxmemoryPolicy]
  yield* overheadFields('allocator_frag', report.allocatorFragmentation)
  yield* overheadFields('allocator_rss', report.allocatorRss)
  yield* overheadFields('rss_overhead', report.rssOverhead)
  yield* overheadFields('mem_fragmentation', report.fragmentation)
  yield ['mem_not_counted_for_evict', server.engine.uncountedMemoryBytes]
  yield ['mem_replication_backlog', report.backlogBytes]
  yield ['mem_total_replication_buffers', report.backlogBytes + report.replicasBytes]
  yield ['mem_clients_slaves', report.replicasBytes]
  yield ['mem_clients_normal', report.clientsBytes]
  yield ['mem_cluster_links', 0]
  yield ['mem_aof_buffer', report.aofBufferBytes]
  yield ['mem_allocator', ALLOCATOR]
  yield ['active_defrag_running', server.cron.defrag.percent]
  yield ['lazyfree_pending_objects', lazyFree.pendingObjects]
  yield ['lazyfreed_objects', lazyFree.freedObjects]
}

function* overheadFields(name: string, { ratio, bytes }: Overhead): Generator<Field> {
  yield [`${name}_ratio`, fixedText(ratio, 2)]
  yield [`${name}_bytes`, bytes]
}
