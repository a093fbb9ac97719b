/** Turns for long work between clients' requests: none of them keeps a process alive that has nothing else to do. */
import type { Scheduler } from '../persistence/persistence.ts'

/** `sendReplies`: what clients wait for leaves before the work begins. */
export function createScheduler(sendReplies: () => void): Scheduler {
  return {
    soon(run) {
      setImmediate(() => {
        sendReplies()
        run()
      })
    },
    after(ms, run) {
      setTimeout(run, ms).unref()
    },
  }
}
