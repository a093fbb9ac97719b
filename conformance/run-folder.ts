/**
 * The folder in which Redis's test harness runs, one for each file that runs at the same time:
 *
 *   tests/       copied, since the harness writes into tests/tmp, and with two changes: it waits two minutes for a server
 *                that has ended before it printed its process id, here it sees that; and that FUNCTION is no command
 *                does not end a file which loads a function between its tests: those that call it fail
 *   utils        link to the source
 *   src/         links to the programs: a server that is run by a link keeps the process id that the harness knows, and
 *                sees the name that it was called by, as the harness expects
 *
 * Also finds and ends what a run left behind: servers that daemonized themselves have left the harness's process group,
 * but their working folder is still in here.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Programs of real Redis that the tests use beside the server. They are one program that goes by its name. */
const REDIS_PROGRAMS = ['redis-cli', 'redis-benchmark', 'redis-check-rdb', 'redis-check-aof']

export function makeRunFolder(
  folder: string,
  source: string,
  serverProgram: string,
  findProgram: (name: string) => string,
): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'src'), { recursive: true })
  cpSync(join(source, 'tests'), join(folder, 'tests'), { recursive: true })
  insertBefore(
    join(folder, 'tests/support/server.tcl'),
    'after $checkperiod\n',
    // In the loop that waits for the process id: a server that is gone gets three more looks at its log.
    'if {$maxiter > 3 && ![process_is_alive $pid]} {set maxiter 3}\n',
  )
  insertBefore(
    join(folder, 'tests/support/redis.tcl'),
    'return -code $errorcode $retval\n',
    'if {[string equal -nocase $method function] && [string match {*unknown command*} $retval]} {set errorcode 0}\n',
  )
  for (const name of ['utils', 'redis.conf', 'sentinel.conf']) symlinkSync(join(source, name), join(folder, name))
  symlinkSync(serverProgram, join(folder, 'src/redis-server'))
  for (const name of REDIS_PROGRAMS) symlinkSync(findProgram(name), join(folder, 'src', name))
  // Debian has no redis-sentinel in these packages: it is redis-server in another mode.
  const sentinel = `#!/bin/sh\nexec ${quoted(serverProgram)} "$@" --sentinel\n`
  writeFileSync(join(folder, 'src/redis-sentinel'), sentinel, { mode: 0o755 })
}

/** Adds a line before the only one of its kind. */
function insertBefore(path: string, line: string, added: string): void {
  const text = readFileSync(path, 'utf8')
  const places = text.split(line).length - 1
  if (places !== 1) throw new Error(`${path} has ${places} lines ${line.trim()}, not one`)
  writeFileSync(
    path,
    text.replace(line, () => `${added}    ${line}`),
  )
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}

/** Kills every process whose working folder is in `folder`. Returns how many there were. */
export function killProcessesIn(folder: string): number {
  let killed = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const cwd = readlinkSync(`/proc/${name}/cwd`)
      if (!`${cwd}/`.startsWith(`${folder}/`)) continue
      process.kill(Number(name), 'SIGKILL')
      killed++
    } catch {
      // It has ended in between, or it is not ours to look at.
    }
  }
  return killed
}
