/** Runs redis-benchmark for one command and reads its report. */
import { spawn } from 'node:child_process'

export interface BenchmarkOptions {
  readonly port: number
  readonly clients: number
  readonly pipeline: number
  readonly requests: number
  readonly keyspace: number
  /** A test name of redis-benchmark's -t, or a command of our own; __rand_int__ in it is a number below `keyspace`. */
  readonly test: string | readonly string[]
}

export interface BenchmarkReport {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export async function runRedisBenchmark(options: BenchmarkOptions): Promise<BenchmarkReport> {
  const args = ['-h', '127.0.0.1', '-p', options.port, '-c', options.clients, '-P', options.pipeline]
  args.push('-n', options.requests, '-r', options.keyspace)
  if (typeof options.test === 'string') args.push('-t', options.test)
  else args.push(...options.test)
  return parseBenchmarkReport(await runProgram('redis-benchmark', args.map(String)))
}

/** redis-benchmark waits for ever when its server is gone. */
const TIMEOUT_MS = 300_000

function runProgram(program: string, args: readonly string[]): Promise<string> {
  return new Promise((done, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('latin1')))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) done(output)
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}: ${errors.slice(-500)}`))
    })
  })
}

/**
 * The report of one test without --csv, which alone has percentiles beyond p99:
 *
 *   99.902% <= 0.335 milliseconds (cumulative count 99905)
 *   ...
 *   throughput summary: 162601.62 requests per second
 *   latency summary (msec):
 *           avg       min       p50       p95       p99       max
 *         0.169     0.064     0.167     0.215     0.255     0.543
 */
export function parseBenchmarkReport(output: string): BenchmarkReport {
  const throughput = /throughput summary: ([\d.]+) requests per second/.exec(output)
  const latency = /latency summary \(msec\):\s*avg\s+min\s+p50\s+p95\s+p99\s+max\s+([\d. ]+)/.exec(output)
  if (throughput === null || latency === null) throw new Error(`no report of redis-benchmark in: ${output.slice(-500)}`)
  const [, , p50Ms, , p99Ms, maxMs] = latency[1]!.trim().split(/\s+/).map(Number)
  // The percentiles halve the rest each time, so the first of 99.9 or more is 99.902 unless there are few requests.
  let p999Ms = maxMs!
  for (const [, percent, milliseconds] of output.matchAll(/^([\d.]+)% <= ([\d.]+) milliseconds \(cumulative/gm)) {
    if (Number(percent) >= 99.9) {
      p999Ms = Number(milliseconds)
      break
    }
  }
  return { requestsPerSecond: Number(throughput[1]), p50Ms: p50Ms!, p99Ms: p99Ms!, p999Ms, maxMs: maxMs! }
}
