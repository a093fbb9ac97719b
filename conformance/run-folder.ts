/**
 * The folder in which Redis's test harness runs, one for each file that runs at the same time:
 *
 *   tests/       copied, since the harness writes into tests/tmp
 *   utils        link to the source
 *   src/         scripts of one line that exec the programs, so that the process id that the harness knows is the server's
 *
 * Also finds and ends what a run left behind: servers that daemonized themselves have left the harness's process group,
 * but their working folder is still in here.
 */
import { cpSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
  for (const name of ['utils', 'redis.conf', 'sentinel.conf']) symlinkSync(join(source, name), join(folder, name))
  const addScript = (name: string, line: string) => {
    writeFileSync(join(folder, 'src', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  }
  addScript('redis-server', `exec ${quoted(serverProgram)} "$@"`)
  for (const name of REDIS_PROGRAMS) addScript(name, `exec ${quoted(findProgram(name))} "$@"`)
  // Debian has no redis-sentinel in these packages: it is redis-server in another mode.
  addScript('redis-sentinel', `exec ${quoted(serverProgram)} "$@" --sentinel`)
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
