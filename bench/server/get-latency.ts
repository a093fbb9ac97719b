/** How long GETs of one client take, by a process of its own (get-latency-client.ts) that sends one after the other. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

const WARM_UP_MS = 1000
/** Of a collection nothing survives, and this much is allocated in many seconds; no helpers compete for the processors. */
const NODE_OPTIONS = [
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--single-threaded-gc',
  '--v8-pool-size=1',
]

export interface LatencyPhase {
  readonly worstMs: number
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

export class GetLatency {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>
  private readonly lines: AsyncIterator<string>

  private constructor(port: number, keys: number) {
    const script = join(process.cwd(), 'scripts/run-ts.mjs')
    const file = join(process.cwd(), 'bench/server/get-latency-client.ts')
    this.child = spawn(process.execPath, [...NODE_OPTIONS, script, file, String(port), String(keys)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
  }

  /** Begins, and lets the client warm up, which is the first phase. */
  static async start(port: number, keys: number): Promise<GetLatency> {
    const latency = new GetLatency(port, keys)
    await latency.nextLine()
    await new Promise((done) => setTimeout(done, WARM_UP_MS))
    return latency
  }

  /** The figures since the last call. */
  async endPhase(): Promise<LatencyPhase> {
    this.child.stdin.write('\n')
    const phase = JSON.parse(await this.nextLine()) as LatencyPhase
    if (phase.count === 0) throw new Error('no GET was answered')
    return phase
  }

  private async nextLine(): Promise<string> {
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the latency client ended early')
    return value
  }

  async stop(): Promise<void> {
    const { child } = this
    const ended = once(child, 'exit')
    // The client ends with its standard input.
    child.stdin.end()
    if (child.exitCode === null && child.signalCode === null) await ended
  }
}
