/**
 * What is measured, declared: groups of measurements, each with a unit and, where there is one, the target for the ratio
 * o7 / redis. A group opens a bench for each server (its own process, its own data), and steps are then sampled on both
 * in turn. A new row of the report is a new entry in one of groups/.
 */
import { type RedisProcess, startServer } from '../../test/support/redis-process.ts'
import { residentBytes } from './process-cost.ts'

export interface Target {
  /** Bounds of the ratio o7 / redis. */
  readonly ratioMax?: number
  readonly ratioMin?: number
  /** A bound of our own figure, in the unit of the measurement. */
  readonly valueMax?: number
}

export interface Measurement {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly target?: Target
  /** Whether it stands in the plot beside those with a target. */
  readonly isPlotted?: boolean
}

/** Figures of one sample by measurement id. */
export type Sample = Readonly<Record<string, number>>

export interface Step {
  readonly id: string
  run(): Promise<Sample>
}

export interface Bench {
  readonly steps: readonly Step[]
  close(): Promise<void>
}

export interface BenchSettings {
  /** Factor for the numbers of requests and of keys: 1 for a report, less for a quick look. */
  readonly scale: number
  readonly requests: number | null
}

export interface Group {
  readonly id: string
  readonly title: string
  readonly note: string
  readonly measurements: readonly Measurement[]
  open(program: string, settings: BenchSettings): Promise<Bench>
}

/** Connections of redis-benchmark, and its different keys. */
export const CLIENTS = 50
export const KEYSPACE = 100_000
export const VALUE_BYTES = 64
/** Keys that memory and files are measured with. */
export const MEMORY_KEYS = 1_000_000

export function start(program: string, directives: Record<string, string> = {}, dir?: string): Promise<RedisProcess> {
  return startServer({
    server: program,
    directives: { save: '', appendonly: 'no', ...directives },
    ...(dir ? { dir } : {}),
  })
}

/** Resident memory when it has stopped moving: what a loading server frees a moment later is not counted. */
export async function settledResidentBytes(pid: number): Promise<number> {
  let held = residentBytes(pid)
  for (let unchanged = 0; unchanged < 4; ) {
    await new Promise((done) => setTimeout(done, 250))
    const now = residentBytes(pid)
    unchanged = Math.abs(now - held) < 256 * 1024 ? unchanged + 1 : 0
    held = now
  }
  return held
}
