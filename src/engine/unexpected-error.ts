/**
 * Errors that no client sees: of a master's commands, of a file's, of what a replica sends. They had no error where they came from, so
 * the two do not hold the same data any more, and the log says so in Redis's words.
 */
import { ERR_INDEX_OUT_OF_RANGE, ERR_NO_SUCH_KEY, ERR_SAME_OBJECT, ERR_SYNTAX } from '../resp/errors.ts'
import type { Engine } from './engine.ts'
import { FROM_MASTER, LOADER, REPLICA, type Session } from './session.ts'

/** Whose errors are unexpected. */
export const EXPECTS_NO_ERRORS = FROM_MASTER | LOADER | REPLICA

/** The replies with the code ERR that Redis keeps ready. The log shows those whole, and of others what comes behind the code. */
const READY_ERRORS = new Set(
  [ERR_SYNTAX, ERR_NO_SUCH_KEY, ERR_SAME_OBJECT, ERR_INDEX_OUT_OF_RANGE].map(({ text }) => text),
)

const CODE = 'ERR '
/** Longer errors are cut. */
const SHOWN_BYTES_MAX = 4096

/** Who sends whom an error. */
function partiesOf(session: Session): readonly [from: string, to: string] {
  if (session.has(LOADER)) return ['server', 'AOF-loading-client']
  return session.has(FROM_MASTER) ? ['replica', 'master'] : ['master', 'replica']
}

export function commandName(session: Session): string {
  return session.lastCommand?.command.fullName ?? '<unknown>'
}

export function noteUnexpectedError(engine: Engine, session: Session, error: string): void {
  if (session.has(REPLICA)) engine.replication?.replied(session)
  const shown = error.startsWith(CODE) && !READY_ERRORS.has(error) ? error.slice(CODE.length) : `-${error}`
  const [from, to] = partiesOf(session)
  engine.log(
    'warning',
    `== CRITICAL == This ${from} is sending an error to its ${to}: '${shown.slice(0, SHOWN_BYTES_MAX)}' after processing the command '${commandName(session)}'`,
  )
  engine.statistics.unexpectedErrors++
  session.onUnexpectedError?.()
}

/** The server is to stop rather than go on with other data than it should have. */
export function panicOnError(engine: Engine, session: Session): void {
  const [from, to] = partiesOf(session)
  engine.fail(
    new Error(
      `This ${from} panicked sending an error to its ${to} after processing the command '${commandName(session)}'`,
    ),
    session,
  )
}
