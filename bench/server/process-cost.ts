/** What a process has used, from /proc: CPU time of all its threads, and resident memory. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU time in microseconds, user and system, all threads. schedstat counts nanoseconds; stat, the fall-back where the
 * kernel has no schedstat, counts ticks of 10 ms.
 */
export function cpuTimeUs(pid: number): number {
  let totalNs = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      totalNs += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // The thread has ended in between, or there is no schedstat.
    }
  }
  if (totalNs > 0) return totalNs / 1000
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (match === null) throw new Error(`process ${pid} has no resident memory`)
  return Number(match[1]) * 1024
}

/** As above, with the memory that child processes do not share with it: what copy-on-write has copied. */
export function residentBytesWithChildren(pid: number): number {
  let bytes = residentBytes(pid)
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim()
      for (const child of children === '' ? [] : children.split(' ')) {
        const rollup = readFileSync(`/proc/${child}/smaps_rollup`, 'utf8')
        for (const [, kilobytes] of rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)) bytes += Number(kilobytes) * 1024
      }
    } catch {
      // The thread or the child has ended in between.
    }
  }
  return bytes
}
