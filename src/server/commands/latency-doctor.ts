/**
 * LATENCY DOCTOR: the events that the latency monitor has seen, in words, and what may help. Headings and the lines of
 * figures are Redis's; the advice is about this server, where nothing forks and one thread does everything.
 */
import { readFileSync } from 'node:fs'
import { fixedText } from '../../base/double-text.ts'
import type { LatencySeries } from '../../engine/latency-monitor.ts'
import type { Server } from '../server.ts'

interface Analysis {
  readonly averageMs: number
  /** Mean absolute deviation. */
  readonly deviationMs: number
  readonly periodSeconds: number
}

type Advice = (server: Server) => string | null

const DISABLED =
  'I\'m sorry, Dave, I can\'t do that. Latency monitoring is disabled in this Redis instance. You may use "CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it.\n'
const NOTHING =
  'Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit.\n'
const HEADING =
  "Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n"
const NO_ADVICE = '\nThere are latency events, and nothing about them that I could name an easy remedy for.\n'
const ADVICE_HEADING = '\nI have a few advices for you:\n\n'

const slowlogOff: Advice = ({ engine: { settings } }) =>
  settings.slowlogUsec < 0
    ? `- Some commands are slow, and the slow log that would tell which is off. Enable it with 'CONFIG SET slowlog-log-slower-than ${settings.latencyMonitorMs * 1000}'.`
    : null

const slowlogTuning: Advice = ({ engine: { settings } }) =>
  settings.slowlogUsec >= 0 && Math.floor(settings.slowlogUsec / 1000) > settings.latencyMonitorMs
    ? `- The slow log leaves out commands that the latency monitor counts as spikes. Bring both in line with 'CONFIG SET slowlog-log-slower-than ${settings.latencyMonitorMs * 1000}'.`
    : null

const slowlogInspect: Advice = () =>
  "- See with 'SLOWLOG GET' which commands are slow. Commands that walk over many elements (KEYS, SORT, reading or combining whole collections) have counterparts that go in steps, such as SCAN."

const largeObjects: Advice = () =>
  '- Values with very many elements take long to delete, to expire and to evict: spread them over several keys.'

const scheduler: Advice = () =>
  "- Commands that do very little took long, so the process itself was held up. See with 'redis-cli --intrinsic-latency 100', run on the same machine, how long the system leaves a process without a processor: other programs, virtual machines beside this one and swapping do that. Long pauses of garbage collection (node --trace-gc) and other work in the same process look alike."

const diskContention: Advice = () =>
  '- The disk is slow or busy. Use a local disk, and keep programs that write much away from it.'

const frequency: Advice = ({ engine: { settings } }) =>
  settings.hz < 100
    ? "- Expired keys can be removed in smaller portions more often: 'CONFIG SET hz 100' does that."
    : null

const hugePages: Advice = () =>
  hasHugePages()
    ? "- The process uses transparent huge pages, which cost time when memory is touched first. Turn them off with 'echo never > /sys/kernel/mm/transparent_hugepage/enabled', also at boot, and restart."
    : null

/** By the name of the event; advice comes in the order of ADVICE. */
const ADVICE_BY_EVENT: Readonly<Record<string, readonly Advice[]>> = {
  command: [slowlogOff, slowlogTuning, slowlogInspect, largeObjects],
  'fast-command': [scheduler],
  'expire-cycle': [frequency, largeObjects],
  'eviction-del': [largeObjects],
  'rdb-unlink-temp-file': [diskContention],
}
const ADVICE: readonly Advice[] = [
  slowlogOff,
  slowlogTuning,
  slowlogInspect,
  scheduler,
  diskContention,
  frequency,
  largeObjects,
]

export function latencyReport(server: Server): string {
  const { engine } = server
  const { events } = engine.latency
  if (events.size === 0 && engine.settings.latencyMonitorMs === 0) return DISABLED
  const nowSeconds = Math.floor(engine.clock.nowMs / 1000)
  const wanted = new Set<Advice>()
  let report = events.size === 0 ? '' : HEADING
  let number = 0
  for (const [event, series] of events) {
    const { averageMs, deviationMs, periodSeconds } = analyse(series, nowSeconds)
    const count = series.samples.length
    const period = fixedText(periodSeconds / count, 2)
    report += `${++number}. ${event}: ${count} latency spikes (average ${averageMs}ms, mean deviation ${deviationMs}ms, period ${period} sec). Worst all time event ${series.maxMs}ms.\n`
    for (const advice of ADVICE_BY_EVENT[event] ?? []) wanted.add(advice)
  }
  const lines = [...ADVICE.filter((advice) => wanted.has(advice)), hugePages]
    .map((advice) => advice(server))
    .filter((line) => line !== null)
  if (lines.length > 0) return `${report}${ADVICE_HEADING}${lines.join('\n')}\n`
  return events.size === 0 ? NOTHING : report + NO_ADVICE
}

function analyse({ samples }: LatencySeries, nowSeconds: number): Analysis {
  let sumMs = 0
  for (const { latencyMs } of samples) sumMs += latencyMs
  const averageMs = Math.floor(sumMs / samples.length)
  let deviationsMs = 0
  for (const { latencyMs } of samples) deviationsMs += Math.abs(averageMs - latencyMs)
  return {
    averageMs,
    deviationMs: Math.floor(deviationsMs / samples.length),
    periodSeconds: nowSeconds - samples[0]!.timeSeconds || 1,
  }
}

function hasHugePages(): boolean {
  try {
    return /^AnonHugePages:\s+[1-9]/m.test(readFileSync('/proc/self/smaps_rollup', 'latin1'))
  } catch {
    // Another system, or an old kernel.
    return false
  }
}
