/**
 * What has to happen now and then: `hz` times a second, as Redis's serverCron. Each part bounds its own time.
 */
import type { Server } from './server.ts'

export class Cron {
  private timer: NodeJS.Timeout | null = null
  private readonly server: Server

  constructor(server: Server) {
    this.server = server
  }

  start(): void {
    this.schedule()
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  /** One round, also after the clock was moved. */
  tick(): void {
    const { engine } = this.server
    if (engine.isStopped) return
    engine.clock.refresh()
    engine.keyspace.updateLruClock()
    engine.statistics.sampleRates()
    engine.pause.tick()
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.tick()
      if (this.timer !== null) this.schedule()
    }, 1000 / this.server.engine.settings.hz)
  }
}
