/**
 * The configuration's files on disk: reading with includes, the directory to work in, and the rewritten file, which takes
 * the old one's place in a single step so that no reader ever sees half of it.
 */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { assert } from '../../base/assert.ts'
import { globMatch } from '../../base/glob.ts'
import type { Random } from '../../base/random.ts'
import type { LogLevel } from '../../engine/engine.ts'
import { type ConfigFiles, FileError } from './load.ts'
import { Refusal } from './parameter.ts'
import { type RewriteExtras, rewriteConfig } from './rewrite.ts'
import type { ConfigStore } from './store.ts'
import { systemErrorCode, systemErrorText } from './system-error.ts'
import { bytesOf, textOf } from './text.ts'

export const NODE_CONFIG_FILES: ConfigFiles = {
  read(path) {
    try {
      return readFileSync(path, 'latin1')
    } catch (error) {
      const code = systemErrorCode(error)
      // A directory opens like a file, and then there is nothing to read in it.
      if (code === 'EISDIR') return ''
      throw new FileError(systemErrorText(error), code)
    }
  },
  glob: globPaths,
  refusesAppend(path) {
    try {
      appendFileSync(path, '')
      return null
    } catch (error) {
      return systemErrorText(error)
    }
  },
  resolve: (from, path) => (isAbsolute(path) ? path : resolve(from, path)),
}

/** Enters a directory, for `ConfigEnvironment`. Byte strings. */
export function enterDir(from: string, path: string): string | Refusal {
  try {
    if (path === '') throw Object.assign(new Error(), { code: 'ENOENT' })
    const real = realpathSync(resolve(textOf(from), textOf(path)))
    if (!statSync(real).isDirectory())
      return new Refusal(systemErrorText(Object.assign(new Error(), { code: 'ENOTDIR' })))
    accessSync(real, constants.X_OK)
    return bytesOf(real)
  } catch (error) {
    return new Refusal(systemErrorText(error))
  }
}

export interface FileShell {
  /** Of the process: a file that is new gets no more permissions than it allows. */
  readonly umask: number
  /** For the name of a temporary file. */
  readonly random: Random
  log(level: LogLevel, message: string): void
}

/** CONFIG REWRITE on disk. Null, or why it failed. */
export function rewriteConfigFile(store: ConfigStore, extras: RewriteExtras, shell: FileShell): string | null {
  const path = store.configFile
  assert(path !== null, 'there is a configuration file')
  let old: string | null = null
  try {
    old = readFileSync(path, 'latin1')
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') return systemErrorText(error)
  }
  const content = rewriteConfig(store, old, extras)
  try {
    replaceFile(path, content, shell)
  } catch (error) {
    return systemErrorText(error)
  }
  shell.log('debug', `Rewritten config file (${path}) successfully`)
  return null
}

/** Replaces a file, durably. The log hears which step failed; then the error is thrown on. */
function replaceFile(path: string, content: string, { umask, random, log }: FileShell): void {
  const temporary = `${path}.${random.hex(6)}`
  const step = <T>(description: string, act: () => T): T => {
    try {
      return act()
    } catch (error) {
      log('warning', `${description} (${systemErrorText(error)})`)
      throw error
    }
  }
  const fd = step('Could not create tmp config file', () => openSync(temporary, 'wx', 0o600))
  let isInPlace = false
  try {
    step('Failed after writing (0) bytes to tmp config file', () => writeFileSync(fd, content, 'latin1'))
    step('Could not sync tmp config file to disk', () => fsyncSync(fd))
    step('Could not chmod config file', () => fchmodSync(fd, 0o644 & ~umask))
    step('Could not rename tmp config file', () => renameSync(temporary, path))
    isInPlace = true
    step('Could not sync config file dir', () => syncDirectory(dirname(path)))
  } finally {
    closeSync(fd)
    if (!isInPlace) rmSync(temporary, { force: true })
  }
}

function syncDirectory(path: string): void {
  // Windows has no way to do this, and needs none.
  if (sep === '\\') return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } catch (error) {
    // Some file systems cannot sync directories; then renaming is as durable as they make it.
    if (systemErrorCode(error) !== 'EINVAL') throw error
  } finally {
    closeSync(fd)
  }
}

/** Paths that match, sorted by bytes. Each part of the pattern matches names of one directory, never a leading dot. */
function globPaths(pattern: string): string[] {
  const parts = pattern.split(sep === '\\' ? /[/\\]/ : '/')
  let found = [parts[0] === '' ? sep : `${parts[0]}${sep}`]
  for (const part of parts.slice(1)) {
    if (part === '') continue
    found = found.flatMap((folder) => (/[*?[]/.test(part) ? matchNames(folder, part) : existing(join(folder, part))))
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function matchNames(folder: string, pattern: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  const glob = Buffer.from(pattern.replaceAll('[!', '[^'))
  return names
    .filter((name) => {
      if (name.startsWith('.') && !pattern.startsWith('.')) return false
      const bytes = Buffer.from(name)
      return globMatch(glob, 0, glob.length, bytes, 0, bytes.length, false)
    })
    .map((name) => join(folder, name))
}

function existing(path: string): string[] {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? [] : [path]
}
