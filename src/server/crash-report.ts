/**
 * The report of a bug, in the form of Redis's: between two lines that tools look for, what failed, where, and all that is
 * known of the server and of the client it was serving.
 */
import { AssertionError } from '../base/assert.ts'
import { O7_VERSION, REDIS_VERSION } from '../base/version.ts'
import { clientInfo } from '../engine/client-info.ts'
import type { Session } from '../engine/session.ts'
import { debugInfo } from './config/rewrite.ts'
import { Crash } from './crash.ts'
import { infoText } from './info/info.ts'
import type { Server } from './server.ts'

export function logCrash(server: Server, error: unknown, session: Session | null): void {
  const { logger } = server
  logger.raw('warning', '\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===\n')
  for (const line of whatFailed(error, session)) logger.warning(line)
  const section = (name: string, make: () => string): void => {
    let text: string
    try {
      text = make()
    } catch (failure) {
      // What is broken may be just what this asks for; the rest of the report is worth having.
      text = `(not to be had: ${messageOf(failure)})\n`
    }
    logger.raw('warning', `\n------ ${name} ------\n${text}`)
  }
  section('STACK TRACE', () => `\nBacktrace:\n${stackOf(error)}\n`)
  section('INFO OUTPUT', () => infoText(server, ['all']))
  section('CLIENT LIST OUTPUT', () => {
    let list = ''
    for (const client of server.engine.sessions.values()) list += `${clientInfo(client)}\n`
    return list
  })
  if (session !== null) section('CURRENT CLIENT INFO', () => `${clientInfo(session)}\n`)
  section('MODULES INFO OUTPUT', () => {
    const modules = server.modules.list().map(({ name, version, path }) => `${name} ${version} ${path}\n`)
    return modules.join('')
  })
  section('CONFIG DEBUG OUTPUT', () => debugInfo(server.config))
  logger.raw('warning', END)
}

const END = `
=== REDIS BUG REPORT END. Make sure to include from START to END. ===

       o7-is ${O7_VERSION} (Redis ${REDIS_VERSION}), Node.js ${process.version}, ${process.platform} ${process.arch}

       Please open an issue of the o7-is project with this report. If a module of your own was
       involved, look at the stack trace first.
`

function whatFailed(error: unknown, session: Session | null): string[] {
  if (error instanceof Crash && error.kind === 'signal') {
    return [`Redis ${REDIS_VERSION} crashed by signal: ${error.signal}, si_code: 0`]
  }
  if (error instanceof AssertionError || (error instanceof Crash && error.kind === 'assertion')) {
    const context =
      session === null
        ? []
        : [
            '=== ASSERTION FAILED CLIENT CONTEXT ===',
            `client->flags = ${session.flags}`,
            `client->conn = fd=${session.fd}`,
          ]
    // Our assertions say what is wrong; Redis's, which DEBUG ASSERT imitates, what should have been right.
    const told = error instanceof Crash ? `'${error.message}' is not true` : error.message
    return [...context, '=== ASSERTION FAILED ===', `==> ${placeOf(error)} ${told}`]
  }
  return [
    '------------------------------------------------',
    '!!! Software Failure. Press left mouse button to continue',
    `Guru Meditation: ${messageOf(error)} #${placeOf(error)}`,
  ]
}

/** "file:line" of where an error was made. */
function placeOf(error: unknown): string {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').slice(1) : []
  const place = frames.map((frame) => /([^/\\(]+:\d+):\d+\)?$/.exec(frame)?.[1]).find((found) => found !== undefined)
  return place ?? 'unknown'
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
