/**
 * MEMORY DOCTOR: what looks wrong about the use of memory, in words. Thresholds are Redis's (object.c); the first words of
 * each answer and the names of the findings are what people know from there.
 */
import { ALLOCATOR } from '../../base/version.ts'
import { REPLICA } from '../../engine/session.ts'
import { type MemoryReport, memoryReport, type Overhead } from '../memory-report.ts'
import type { Server } from '../server.ts'

const MIB = 1024 * 1024
const EMPTY_BELOW_BYTES = 5 * MIB
const OVERHEAD_BYTES = 10 * MIB
const CLIENT_BYTES = 200 * 1024

interface Finding {
  readonly text: string
  readonly isFound: (report: MemoryReport, clients: number) => boolean
}

const FINDINGS: readonly Finding[] = [
  {
    text: 'Peak memory: In the past this instance used more than 150% the memory that is currently using. Pages that are empty are given back to the system little by little, or at once by MEMORY PURGE; pages that hold some data stay and are filled again as the data grows.',
    isFound: ({ peakBytes, usedBytes }) => peakBytes / usedBytes > 1.5,
  },
  {
    text: `High total RSS: This instance has a memory fragmentation and RSS overhead greater than 1.4: since it started, the process has grown by much more than the data in it. Look for a peak of memory above, and for other work that shares the process. The allocator is "${ALLOCATOR}"; MEMORY MALLOC-STATS shows how it uses its pages.`,
    isFound: ({ grownFragmentation }) => isAbove(grownFragmentation, 1.4),
  },
  {
    text: 'High allocator fragmentation: This instance has an allocator external fragmentation greater than 1.1: blocks of memory are free, but of other sizes than new data needs. Values that change their sizes very often do that, and so does a peak of memory; what is free serves new data of those sizes.',
    isFound: ({ allocatorFragmentation }) => isAbove(allocatorFragmentation, 1.1),
  },
  {
    text: 'High allocator RSS overhead: This instance has an RSS memory overhead is greater than 1.1: the allocator holds pages that are empty. They go back to the system little by little; MEMORY PURGE does it at once.',
    isFound: ({ allocatorRss }) => isAbove(allocatorRss, 1.1),
  },
  {
    text: 'High process RSS overhead: This instance has non-allocator RSS memory overhead is greater than 1.1: since the start, memory has been taken beside the data, by buffers of clients, modules, or the program that the server is part of.',
    isFound: ({ grownRssOverhead }) => isAbove(grownRssOverhead, 1.1),
  },
  {
    text: 'Big client buffers: The clients output buffers in this instance are greater than 200K per client (on average). Subscribers that read too slowly, large replies and long pipelines do that; CLIENT LIST shows who it is (qbuf, omem, tot-mem).',
    isFound: ({ clientsBytes }, clients) => clientsBytes / clients > CLIENT_BYTES,
  },
]

export function memoryDoctorReport(server: Server): string {
  const report = memoryReport(server)
  if (report.usedBytes < EMPTY_BELOW_BYTES) {
    return "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these conditions. Fill it with some data and ask me again.\n"
  }
  let clients = 0
  for (const session of server.engine.sessions.values()) if (!session.has(REPLICA)) clients++
  const found = FINDINGS.filter(({ isFound }) => isFound(report, Math.max(1, clients)))
  if (found.length === 0) {
    return "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base.\n"
  }
  const list = found.map(({ text }) => ` * ${text}\n\n`).join('')
  return `Sam, I detected a few issues in this Redis instance memory implants:\n\n${list}I'm here to keep you safe, Sam. I want to help you.\n`
}

function isAbove({ ratio, bytes }: Overhead, limit: number): boolean {
  return ratio > limit && bytes > OVERHEAD_BYTES
}
