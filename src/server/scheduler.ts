/** Turns for long work between clients' requests: none of them keeps a process alive that has nothing else to do. */
import type { Scheduler } from '../persistence/persistence.ts'

export const nodeScheduler: Scheduler = {
  soon(run) {
    setImmediate(run)
  },
  after(ms, run) {
    setTimeout(run, ms).unref()
  },
}
