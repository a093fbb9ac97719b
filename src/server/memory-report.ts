/**
 * Where memory goes, for INFO memory, MEMORY STATS and MEMORY DOCTOR. Names and the way figures follow from each other
 * are Redis's (object.c, getMemoryOverheadData); ratios are single precision there, and so they are here.
 *
 *   allocated  blocks of the arena   <=  active  slabs with blocks  <=  resident  pages  <=  rss  the whole process
 */
import { ENTRY_HEADER_BYTES } from '../keyspace/entry.ts'
import type { Server } from './server.ts'

export interface DatabaseOverhead {
  readonly index: number
  readonly mainBytes: number
  readonly expiresBytes: number
}

export interface MemoryReport {
  readonly usedBytes: number
  readonly peakBytes: number
  readonly startupBytes: number
  readonly clientsBytes: number
  /** What is kept of the replication stream, and what of it is there for replicas that are behind. */
  readonly backlogBytes: number
  readonly replicasBytes: number
  readonly aofBufferBytes: number
  readonly databases: readonly DatabaseOverhead[]
  readonly keys: number
  readonly overheadBytes: number
  readonly datasetBytes: number
  /** Per cent, as all that follow with this name. */
  readonly datasetPercent: number
  readonly peakPercent: number
  readonly bytesPerKey: number
  readonly allocatedBytes: number
  readonly activeBytes: number
  readonly residentBytes: number
  readonly rssBytes: number
  readonly fragmentation: Overhead
  readonly allocatorFragmentation: Overhead
  readonly allocatorRss: Overhead
  readonly rssOverhead: Overhead
  /** As `fragmentation` and `rssOverhead`, without what the process took before there was data: Node.js itself. */
  readonly grownFragmentation: Overhead
  readonly grownRssOverhead: Overhead
}

/** How much more a level takes than the one below it. */
export interface Overhead {
  readonly ratio: number
  readonly bytes: number
}

export function memoryReport({ engine, memory, persistence, replication }: Server): MemoryReport {
  memory.sampleClients()
  // The peak is found by the cron, which may not have seen the latest.
  memory.updatePeak()
  const { keyspace } = engine
  const { arena, table } = keyspace
  const { usedBytes, peakBytes, startupBytes, clientsBytes } = memory
  const streamBytes = replication.buffer?.memoryBytes ?? 0
  // Beyond the backlog's size the stream is kept because a replica has not had it yet.
  const replicasBytes =
    replication.replicas.count > 0 ? Math.max(0, streamBytes - replication.settings.backlogBytes) : 0
  const backlogBytes = streamBytes - replicasBytes
  const aofBufferBytes = persistence.aof.usedBytes
  let overheadBytes = startupBytes + clientsBytes + streamBytes + aofBufferBytes
  let keys = 0
  const databases: DatabaseOverhead[] = []
  for (const db of keyspace.databases) {
    if (db.size === 0) continue
    keys += db.size
    const sizes = db.tables().map(({ table: ref }) => table.sizeBytes(ref))
    const mainBytes = sizes[0]! + db.size * ENTRY_HEADER_BYTES
    const expiresBytes = sizes[1]!
    databases.push({ index: db.index, mainBytes, expiresBytes })
    overheadBytes += mainBytes + expiresBytes
  }
  const netBytes = usedBytes > startupBytes ? usedBytes - startupBytes : 1
  const datasetBytes = Math.max(0, usedBytes - overheadBytes)
  const allocatedBytes = arena.usedBytes
  const activeBytes = arena.activeBytes()
  const residentBytes = arena.heldBytes
  const rssBytes = memory.residentBytes()
  const grownBytes = Math.max(0, rssBytes - memory.startupResidentBytes)
  return {
    usedBytes,
    peakBytes,
    startupBytes,
    clientsBytes,
    backlogBytes,
    replicasBytes,
    aofBufferBytes,
    databases,
    keys,
    overheadBytes,
    datasetBytes,
    datasetPercent: Math.fround((datasetBytes * 100) / netBytes),
    peakPercent: Math.fround((usedBytes * 100) / peakBytes),
    bytesPerKey: keys === 0 ? 0 : Math.floor(netBytes / keys),
    allocatedBytes,
    activeBytes,
    residentBytes,
    rssBytes,
    fragmentation: overhead(rssBytes, usedBytes),
    allocatorFragmentation: overhead(activeBytes, allocatedBytes),
    allocatorRss: overhead(residentBytes, activeBytes),
    rssOverhead: overhead(rssBytes, residentBytes),
    grownFragmentation: overhead(grownBytes, usedBytes),
    grownRssOverhead: overhead(grownBytes, residentBytes),
  }
}

function overhead(aboveBytes: number, belowBytes: number): Overhead {
  return { ratio: Math.fround(aboveBytes / belowBytes), bytes: aboveBytes - belowBytes }
}
