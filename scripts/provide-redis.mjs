/**
 * Provides the reference that tests, benchmarks and the conformance run compare with: redis-server, redis-cli and
 * redis-benchmark 7.0.x on PATH (Debian packages redis-server and redis-tools); with --suite also tclsh and the unpacked
 * source of Redis 7.0.15 in .cache/redis-7.0.15 (Debian source package redis), for its Tcl test suite.
 *
 * Does nothing, in a few milliseconds, when all is there. Installs only as root and where apt-get is; several processes
 * may call it at once. Where it cannot provide, it says what will be skipped; with CI=true that is a failure.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SELF = fileURLToPath(import.meta.url)
const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url))
const SOURCE = join(CACHE, 'redis-7.0.15')
const PROGRAMS = ['redis-server', 'redis-cli', 'redis-benchmark']
const POLICY = '/usr/sbin/policy-rc.d'
/** How long to wait for another process that is installing, in seconds. */
const LOCK_WAIT_S = 900

const wantsSuite = process.argv.includes('--suite')
const holdsLock = process.argv.includes('--holding-lock')

/** Runs a program quietly; its output is shown only when it fails. */
function run(program, args, options = {}) {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', ...options.env },
  })
  if (result.status === 0) return result.stdout
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n')
  throw new Error(
    `${program} ${args.join(' ')} failed: ${result.error?.message ?? `exit code ${result.status}`}\n${output}`,
  )
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)))
}

/** "7.0.15" from "Redis server v=7.0.15 sha=..." or "redis-cli 7.0.15"; null when the program is not there. */
function versionOf(program) {
  const result = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return /(?:v=|redis-\w+ )(\d+\.\d+\.\d+)/.exec(result.stdout ?? '')?.[1] ?? null
}

/** What is still missing, as sentences; empty when all is there. */
function findMissing() {
  const missing = []
  for (const program of PROGRAMS) {
    const version = versionOf(program)
    if (version === null) missing.push(`${program} is not installed`)
    else if (!version.startsWith('7.0.')) missing.push(`${program} is version ${version}, the reference is 7.0`)
  }
  if (wantsSuite) {
    for (const program of ['tclsh', 'ps', 'pgrep']) if (!isOnPath(program)) missing.push(`${program} is not installed`)
    if (!existsSync(join(SOURCE, 'tests/test_helper.tcl'))) missing.push('the source of Redis 7.0.15 is not in .cache/')
  }
  return missing
}

/** Package versions that apt can install, newest first. */
function installableVersions(name) {
  const lines = run('apt-cache', ['madison', name]).split('\n')
  return lines
    .filter((line) => !line.includes('Sources'))
    .map((line) => line.split('|')[1]?.trim() ?? '')
    .filter(Boolean)
}

function upstreamOf(debianVersion) {
  return debianVersion.replace(/^\d+:/, '').replace(/[-~+].*$/, '')
}

function install(packages) {
  const isUserRoot = process.getuid?.() === 0
  if (!isUserRoot) throw new Error(`installing ${packages.join(', ')} needs root`)
  const options = ['-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3']
  try {
    run('apt-get', ['install', ...options, ...packages])
  } catch {
    // Package lists may be old: a version they name is then no longer there.
    run('apt-get', ['update', '-q', '-o', 'Acquire::Retries=3'])
    run('apt-get', ['install', ...options, ...packages])
  }
}

/** Installs the server without starting it: neither now nor, under systemd, at the next boot. */
function installRedis() {
  let version = installableVersions('redis-server').find((candidate) => upstreamOf(candidate).startsWith('7.0.'))
  if (version === undefined) {
    if (process.getuid?.() === 0) run('apt-get', ['update', '-q', '-o', 'Acquire::Retries=3'])
    version = installableVersions('redis-server').find((candidate) => upstreamOf(candidate).startsWith('7.0.'))
  }
  if (version === undefined) throw new Error('apt-get knows no redis-server 7.0 here')
  const wasInstalled = isOnPath('redis-server')
  const setsPolicy = process.getuid?.() === 0 && !existsSync(POLICY)
  if (setsPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install([`redis-server=${version}`, `redis-tools=${version}`])
  } finally {
    if (setsPolicy) rmSync(POLICY, { force: true })
  }
  if (!wasInstalled && existsSync('/run/systemd/system')) spawnSync('systemctl', ['disable', '--now', 'redis-server'])
}

/** Downloads and unpacks Debian's source package, with package lists of its own: nothing of the system's is changed. */
function unpackSource() {
  const folder = join(CACHE, 'apt')
  rmSync(folder, { recursive: true, force: true })
  for (const name of ['lists/partial', 'archives/partial', 'sources', 'download']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  const found = ['/etc/apt/sources.list']
  const parts = '/etc/apt/sources.list.d'
  if (existsSync(parts)) found.push(...readdirSync(parts).map((name) => join(parts, name)))
  for (const [index, path] of found.entries()) {
    if (!existsSync(path)) continue
    const text = readFileSync(path, 'utf8')
    if (path.endsWith('.sources')) {
      writeFileSync(join(folder, `sources/${index}.sources`), text.replace(/^Types:.*$/gim, 'Types: deb-src'))
    } else if (path.endsWith('.list')) {
      const lines = text.split('\n').filter((line) => /^\s*deb\s/.test(line))
      writeFileSync(join(folder, `sources/${index}.list`), `${lines.join('\n').replace(/^\s*deb\s/gm, 'deb-src ')}\n`)
    }
  }
  const options = [
    ...['-o', 'Dir::Etc::sourcelist=/dev/null', '-o', `Dir::Etc::sourceparts=${join(folder, 'sources')}`],
    ...['-o', `Dir::State::lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${folder}`],
    ...['-o', `Dir::Cache::archives=${join(folder, 'archives')}`],
    ...['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3', '-o', 'Acquire::Languages=none'],
  ]
  run('apt-get', [...options, '-q', 'update'])
  const listed = [...run('apt-cache', [...options, 'showsrc', '--only-source', 'redis']).matchAll(/^Version: (.*)$/gm)]
  const versions = listed.map((match) => match[1].trim()).filter((version) => upstreamOf(version) === '7.0.15')
  if (versions.length === 0) throw new Error('apt-get knows no source package of redis 7.0.15 here')
  // The newest: it holds the same tests as the program that apt-get installs.
  versions.sort((a, b) => (spawnSync('dpkg', ['--compare-versions', a, 'gt', b]).status === 0 ? -1 : 1))
  const download = join(folder, 'download')
  run('apt-get', [...options, '-q', 'source', '--download-only', `redis=${versions[0]}`], { cwd: download })
  const description = readdirSync(download).find((name) => name.endsWith('.dsc'))
  if (description === undefined) throw new Error('apt-get source left no .dsc file')
  run('dpkg-source', ['-q', '-x', description, 'source'], { cwd: download })
  rmSync(SOURCE, { recursive: true, force: true })
  renameSync(join(download, 'source'), SOURCE)
  rmSync(folder, { recursive: true, force: true })
}

function provide() {
  if (PROGRAMS.some((program) => !versionOf(program)?.startsWith('7.0.'))) installRedis()
  if (!wantsSuite) return
  const packages = []
  if (!isOnPath('tclsh')) packages.push('tcl')
  if (!isOnPath('ps') || !isOnPath('pgrep')) packages.push('procps')
  const needsSource = !existsSync(join(SOURCE, 'tests/test_helper.tcl'))
  if (needsSource && !isOnPath('dpkg-source')) packages.push('dpkg-dev')
  if (packages.length > 0) install(packages)
  if (needsSource) unpackSource()
}

if (findMissing().length > 0) {
  let reason = null
  if (!isOnPath('apt-get')) {
    reason = 'there is no apt-get here'
  } else if (!holdsLock && isOnPath('flock')) {
    // A lock of the kernel's, so that one that died leaves none behind. The process that gets it looks again first.
    console.log('Providing what real Redis is needed for (Debian packages), this may take a minute ...')
    const lock = join(tmpdir(), `o7-provide-redis.${process.getuid?.() ?? 0}.lock`)
    const args = ['-w', String(LOCK_WAIT_S), lock, process.execPath, SELF, '--holding-lock', ...process.argv.slice(2)]
    try {
      execFileSync('flock', args, { stdio: 'inherit' })
    } catch {
      process.exit(1)
    }
    process.exit(0)
  } else {
    try {
      provide()
    } catch (error) {
      reason = error.message
    }
  }
  const missing = findMissing()
  if (missing.length > 0) {
    console.error(`Real Redis is not available: ${missing.join('; ')}.`)
    if (reason !== null) console.error(`It could not be provided: ${reason}.`)
    console.error(
      wantsSuite
        ? "Redis's own test suite cannot run."
        : 'SKIPPED: the tests that compare with real Redis (test/compat, test/interop and parts of others).',
    )
    if (process.env.CI === 'true') {
      console.error('With CI=true that is a failure.')
      process.exit(1)
    }
  }
}
