/** How long GETs of one client take, by a process of its own (get-latency-client.ts) that sends one after the other. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

const WARM_UP_MS = 1000

export interface LatencyPhase {
  readonly worstMs: number
  readonly count: number
  readonly p50Ms: number
}

export class GetLatency {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>
  private readonly lines: AsyncIterator<string>

  private constructor(port: number, keys: number) {
    const script = join(process.cwd(), 'scripts/run-ts.mjs')
    const file = join(process.cwd(), 'bench/server/get-latency-client.ts')
    this.child = spawn(process.execPath, [script, file, String(port), String(keys)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
  }

  /** Begins, and lets the client warm up. */
  static async start(port: number, keys: number): Promise<GetLatency> {
    const latency = new GetLatency(port, keys)
    await new Promise((done) => setTimeout(done, WARM_UP_MS))
    await latency.endPhase()
    return latency
  }

  /** The figures since the last call. */
  async endPhase(): Promise<LatencyPhase> {
    this.child.stdin.write('\n')
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the latency client ended early')
    const phase = JSON.parse(value) as LatencyPhase
    if (phase.count === 0) throw new Error('no GET was answered')
    return phase
  }

  async stop(): Promise<void> {
    const { child } = this
    const ended = once(child, 'exit')
    // The client ends with its standard input.
    child.stdin.end()
    if (child.exitCode === null && child.signalCode === null) await ended
  }
}
