/** For handlers whose answer takes time: the client's further requests wait for it, other clients do not. */
import { BLOCKED, type Session } from '../../engine/session.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

export function answerLater<Result>(
  session: Session,
  result: Promise<Result>,
  write: (reply: ReplyWriter, result: Result) => void,
): void {
  const { engine } = session
  session.setFlag(BLOCKED)
  result.then(
    (outcome) => {
      if (!engine.isStopped) engine.blocking.answer(session, (reply) => write(reply, outcome))
    },
    (error: unknown) => engine.fail(error, session),
  )
}
