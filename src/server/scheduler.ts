/** Turns for long work between clients' requests: none of them keeps a process alive that has nothing else to do. */
import type { Scheduler } from '../persistence/persistence.ts'

/** `sendReplies`: what clients wait for leaves before the work begins, and what it releases when it is done. */
export function createScheduler(sendReplies: () => void): Scheduler {
  return {
    soon(run) {
      setImmediate(() => {
        sendReplies()
        run()
        sendReplies()
      })
    },
    after(ms, run) {
      setTimeout(run, ms).unref()
    },
  }
}
