/** Runs one file of Redis's test suite in a run folder, in a process group of its own and with a time limit. */
import { spawn } from 'node:child_process'
import { type HarnessResult, parseHarnessOutput } from './harness-output.ts'
import { killProcessesIn } from './run-folder.ts'

export interface FileRunOptions {
  readonly folder: string
  readonly file: string
  /** The first of the ports that the harness and its servers use. */
  readonly basePort: number
  readonly portCount: number
  /** The file is ended after this long. */
  readonly fileTimeoutMs: number
  /** The harness ends the file when one test takes this long. */
  readonly testTimeoutS: number
  readonly extraArguments: readonly string[]
}

export interface FileRun extends HarnessResult {
  readonly file: string
  readonly seconds: number
  readonly output: string
}

/** The harness listens on one of the 32 ports below its base port. */
const HARNESS_PORTS = 32

export function runFile(options: FileRunOptions): Promise<FileRun> {
  const startedMs = performance.now()
  return new Promise((done, reject) => {
    const args = ['tests/test_helper.tcl', '--single', options.file, '--clients', '1', '--durable']
    args.push('--timeout', String(options.testTimeoutS), '--baseport', String(options.basePort + HARNESS_PORTS))
    args.push('--portcount', String(options.portCount - HARNESS_PORTS), ...options.extraArguments)
    const child = spawn('tclsh', args, {
      cwd: options.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // TERM decides about colours; the locale about messages of kill and ps that tests read.
      env: { ...process.env, TERM: 'dumb', LC_ALL: 'C' },
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    let hitLimit = false
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // All of the group have ended.
      }
      killProcessesIn(options.folder)
    }
    const timer = setTimeout(() => {
      hitLimit = true
      killGroup()
    }, options.fileTimeoutMs)
    process.once('exit', killGroup)
    child.once('error', reject)
    // 'exit', not 'close': a server left behind would hold the pipe open.
    child.once('exit', () => {
      clearTimeout(timer)
      killGroup()
      process.off('exit', killGroup)
    })
    child.once('close', () => {
      const output = Buffer.concat(chunks).toString('utf8')
      const result = parseHarnessOutput(output)
      const exceptions = [...result.exceptions]
      if (hitLimit) exceptions.push(`the file was ended after ${options.fileTimeoutMs / 1000} s`)
      else if (!output.includes('The End') && exceptions.length === 0) exceptions.push('the harness ended early')
      done({ ...result, exceptions, file: options.file, seconds: (performance.now() - startedMs) / 1000, output })
    })
  })
}
