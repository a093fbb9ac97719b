/**
 * npm run conformance [-- OPTION ... FILE ...]: runs Redis 7.0.15's own Tcl test suite with our server in the place of
 * redis-server and compares with what redis-server passes. FILE is a test file like unit/protocol; without one, all
 * files of conformance/reference.txt.
 *
 *   --server PROGRAM    the server to test (default bin/o7-redis)
 *   --update            add newly passing tests to conformance/passing.txt (not of files that choose theirs by chance)
 *   --ci                run the files of passing.txt within 12 minutes; a listed test that fails is run twice more, for
 *                       which there are 3 further minutes, and fails the run when it never passes
 *   --write-reference   write what passes to conformance/reference.txt (with --server redis-server)
 *   --jobs N            run N files at a time (default 1, with --ci 2)
 *   --file-timeout S    end a file after S seconds (default 900)
 *   --test-timeout S    end a file when one of its tests takes S seconds (default 240)
 *   --base-port N       first port to use (default 21000)
 *   --keep              keep the run folders, with the logs of all servers, in .cache/conformance
 *   --output            print all that the harness prints
 *   --results FILE      write the results to FILE too
 *   --with-excepted     run the tests of conformance/exceptions.txt too, which are left out otherwise
 *   --only NAME         run the tests of this name (or /REGEXP) alone; may be repeated
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { delimiter, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  countNames,
  type Exceptions,
  formatTestList,
  intersectNames,
  mergeNames,
  namesLeftOut,
  parseExceptions,
  parseTestList,
  readTextFile,
  subtractNames,
  type TestList,
  writeTextFile,
} from './lists.ts'
import { type FileVerdict, formatFileReport, formatTotals, judgeFile, RANDOM_FILES } from './report.ts'
import { type FileRun, runFile } from './run-file.ts'
import { killProcessesIn, makeRunFolder } from './run-folder.ts'

const ROOT = process.cwd()
const CACHE = join(ROOT, '.cache')
const SOURCE = join(CACHE, 'redis-7.0.15')
const LIST_FOLDER = join(ROOT, 'conformance')
const REFERENCE = join(LIST_FOLDER, 'reference.txt')
const PASSING = join(LIST_FOLDER, 'passing.txt')
const EXCEPTIONS = join(LIST_FOLDER, 'exceptions.txt')

/** Ports per file that runs at the same time. The servers' cluster bus ports are 10,000 higher. */
const SLOT_PORTS = 450
const SLOTS_MAX = 18
/** Enough for nearly all files, two at a time. */
const CI_BUDGET_MS = 12 * 60_000
/** Further attempts have time of their own: a test that fails in the last minute gets them too. */
const CI_RETRY_BUDGET_MS = 3 * 60_000
const CI_ATTEMPTS_MAX = 3

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: 'string', default: 'bin/o7-redis' },
    update: { type: 'boolean', default: false },
    ci: { type: 'boolean', default: false },
    'write-reference': { type: 'boolean', default: false },
    jobs: { type: 'string' },
    'file-timeout': { type: 'string', default: '900' },
    'test-timeout': { type: 'string', default: '240' },
    'base-port': { type: 'string', default: '21000' },
    keep: { type: 'boolean', default: false },
    output: { type: 'boolean', default: false },
    results: { type: 'string' },
    'with-excepted': { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
})

function findProgram(name: string): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    if (existsSync(join(folder, name))) return join(folder, name)
  throw new Error(`there is no ${name} on PATH`)
}

function positiveNumber(text: string, option: string): number {
  const number = Number(text)
  if (!Number.isFinite(number) || number <= 0) throw new Error(`--${option} needs a positive number, not ${text}`)
  return number
}

interface Slot {
  readonly basePort: number
  /** Listens on the slot's first port for as long as the slot is ours, so that no other run takes it. */
  readonly guard: Server
}

async function takeSlot(firstPort: number): Promise<Slot> {
  for (let index = 0; index < SLOTS_MAX; index++) {
    const basePort = firstPort + index * SLOT_PORTS
    const guard = createServer()
    const isFree = await new Promise<boolean>((done) => {
      guard.once('error', () => done(false))
      guard.listen({ port: basePort, host: '127.0.0.1', exclusive: true }, () => done(true))
    })
    if (isFree) return { basePort: basePort + 1, guard }
  }
  throw new Error(`no free range of ports from ${firstPort} on`)
}

/** Runs the files, `jobs` at a time, and hands each result on as soon as it is there. */
async function runFiles(
  files: readonly string[],
  serverProgram: string,
  exceptions: Exceptions,
  onResult: (run: FileRun) => void,
  mayStart: () => boolean = () => true,
): Promise<void> {
  const queue = [...files]
  const worker = async () => {
    const slot = await takeSlot(positiveNumber(options['base-port'], 'base-port'))
    const folder = join(CACHE, 'conformance', `run-${process.pid}-${slot.basePort}`)
    try {
      makeRunFolder(folder, SOURCE, serverProgram, findProgram)
      while (queue.length > 0 && mayStart()) {
        const file = queue.shift()!
        onResult(
          await runFile({
            folder,
            file,
            basePort: slot.basePort,
            portCount: SLOT_PORTS - 1,
            fileTimeoutMs: positiveNumber(options['file-timeout'], 'file-timeout') * 1000,
            testTimeoutS: positiveNumber(options['test-timeout'], 'test-timeout'),
            extraArguments: [
              ...(options.keep ? ['--dont-clean'] : []),
              ...options.only.flatMap((name) => ['--only', name]),
              // Left out, since a test that fails half-way can leave the server in a state that fails the next ones.
              ...(options['with-excepted'] ? [] : namesLeftOut(exceptions, file)).flatMap((name) => [
                '--skiptest',
                name,
              ]),
            ],
          }),
        )
      }
    } finally {
      killProcessesIn(folder)
      if (!options.keep) rmSync(folder, { recursive: true, force: true })
      slot.guard.close()
    }
  }
  const jobs = positiveNumber(options.jobs ?? (options.ci ? '2' : '1'), 'jobs')
  await Promise.all(Array.from({ length: Math.min(jobs, files.length) }, worker))
}

const report: string[] = []
function print(text: string): void {
  console.log(text)
  report.push(text)
}

/** Runs what passing.txt lists; returns how many listed tests failed in every attempt. */
async function runForCi(
  passing: TestList,
  exceptions: Exceptions,
  judge: (run: FileRun) => FileVerdict,
  serverProgram: string,
): Promise<number> {
  let deadlineMs = performance.now() + CI_BUDGET_MS
  const hasTime = () => performance.now() < deadlineMs
  const chosen = positionals.length > 0 ? positionals.map(fileName) : [...passing.keys()]
  /** Listed tests that have not passed in any attempt yet. */
  const missing = new Map(chosen.map((file) => [file, passing.get(file) ?? new Map<string, number>()]))
  const attempts = new Map<string, number>()
  const reasons = new Map<string, string>()
  let files = chosen
  for (let attempt = 1; attempt <= CI_ATTEMPTS_MAX && files.length > 0; attempt++) {
    if (attempt === 2) deadlineMs = performance.now() + CI_RETRY_BUDGET_MS
    if (attempt > 1)
      print(`\nAttempt ${attempt} of ${CI_ATTEMPTS_MAX} for ${files.length} files with listed tests that did not pass`)
    await runFiles(
      files,
      serverProgram,
      exceptions,
      (run) => {
        attempts.set(run.file, attempt)
        const lacking = countNames(subtractNames(passing.get(run.file) ?? new Map(), countNames(run.passed)))
        const left = intersectNames(missing.get(run.file)!, lacking)
        missing.set(run.file, left)
        const verdict = judge(run)
        print(formatFileReport(verdict, options.output ? run.output : null))
        for (const { name, reason } of verdict.failed) reasons.set(`${run.file}: ${name}`, reason)
        if (left.size > 0) print(`    listed but did not pass (attempt ${attempt}): ${[...left.keys()].join('; ')}`)
      },
      hasTime,
    )
    files = files.filter((file) => attempts.get(file) === attempt && missing.get(file)!.size > 0)
  }
  const unreached = chosen.filter((file) => !attempts.has(file))
  if (unreached.length > 0) print(`\nNot reached within ${CI_BUDGET_MS / 60_000} minutes: ${unreached.join(' ')}`)
  let failures = 0
  for (const [file, times] of attempts) {
    for (const [name, count] of missing.get(file)!) {
      const reason = reasons.get(`${file}: ${name}`) ?? 'it did not run'
      print(`FAILED in each of ${times} attempts: ${file}: ${name}: ${reason}`)
      failures += count
    }
  }
  const listed = [...attempts.keys()].reduce((sum, file) => sum + totalOf(passing.get(file) ?? new Map()), 0)
  print(`\nListed tests: ${listed - failures} passed, ${failures} failed`)
  return failures
}

function totalOf(counts: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}

function fileName(argument: string): string {
  return argument.replace(/^(?:.*\/)?tests\//, '').replace(/\.tcl$/, '')
}

async function main(): Promise<number> {
  const provided = spawnSync(process.execPath, [join(ROOT, 'scripts/provide-redis.mjs'), '--suite'], {
    stdio: 'inherit',
  })
  if (provided.status !== 0 || !existsSync(join(SOURCE, 'tests/test_helper.tcl'))) return 1
  const serverProgram = options.server.includes('/') ? resolve(options.server) : findProgram(options.server)
  if (!existsSync(serverProgram)) throw new Error(`there is no server ${options.server}`)
  mkdirSync(join(CACHE, 'conformance'), { recursive: true })

  const reference = parseTestList(readTextFile(REFERENCE))
  const passing = parseTestList(readTextFile(PASSING))
  // The reference is of all tests, whatever is asked of our server.
  const exceptions = options['write-reference'] ? new Map() : parseExceptions(readTextFile(EXCEPTIONS))
  const judge = (run: FileRun) => judgeFile(run, reference.get(run.file) ?? null, exceptions.get(run.file) ?? new Map())
  if (options.ci) return (await runForCi(passing, exceptions, judge, serverProgram)) === 0 ? 0 : 1

  const files = positionals.length > 0 ? positionals.map(fileName) : [...reference.keys()]
  for (const file of files)
    if (!existsSync(join(SOURCE, 'tests', `${file}.tcl`))) throw new Error(`there is no tests/${file}.tcl`)
  const runs = new Map<string, FileRun>()
  const verdicts: FileVerdict[] = []
  await runFiles(files, serverProgram, exceptions, (run) => {
    runs.set(run.file, run)
    const verdict = judge(run)
    verdicts.push(verdict)
    print(formatFileReport(verdict, options.output ? run.output : null))
  })
  print(`\n${formatTotals(verdicts)}`)

  if (options['write-reference']) {
    for (const file of files) reference.set(file, countNames(runs.get(file)!.passed))
    writeTextFile(
      REFERENCE,
      formatTestList(reference, 'What redis-server 7.0.15 passes of its own test suite (--write-reference).'),
    )
  }
  if (options.update) {
    for (const file of files) {
      if (RANDOM_FILES.has(file)) continue
      const found = countNames(runs.get(file)!.passed)
      if (found.size > 0) passing.set(file, mergeNames(passing.get(file) ?? new Map(), found))
    }
    writeTextFile(PASSING, formatTestList(passing, 'Tests of Redis 7.0.15 that pass; the list only grows (--update).'))
  }
  return verdicts.some((verdict) => verdict.failed.length + verdict.notRun.length > 0) ? 1 : 0
}

process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
try {
  process.exitCode = await main()
} catch (error) {
  console.error(`conformance: ${(error as Error).message}`)
  process.exitCode = 1
}
if (options.results !== undefined) writeFileSync(options.results, `${report.join('\n')}\n`)
