/**
 * The end of a server, as SHUTDOWN and signals ask for it: replicas catch up, within a time; the last save if save points
 * want one; then onShutdown. While that goes on clients wait, so that nothing is acknowledged that is not in it. If the save
 * fails the server goes on.
 * Order and log lines are Redis's (prepareForShutdown and finishShutdown in server.c).
 */
import { GATE_LOADING } from '../engine/gates.ts'
import { BLOCKED, type Session } from '../engine/session.ts'
import type { Server } from './server.ts'

/** As SHUTDOWN and shutdown-on-sigterm name them. */
export type ShutdownFlag = 'save' | 'nosave' | 'now' | 'force'
export type ShutdownFlags = ReadonlySet<ShutdownFlag>

export class Shutdown {
  private readonly server: Server
  /** Asked for by a signal: begins with the next round of the cron. */
  private requested: ShutdownFlags | null = null
  private isUnderWay = false
  /** Replicas may still catch up, until a Unix millisecond; null when that is over, or not needed. */
  private grace: { readonly untilMs: number; readonly goOn: () => void } | null = null
  /** Clients whose SHUTDOWN has no answer yet; it has one only if the shutdown fails. */
  private readonly waiting = new Set<Session>()

  constructor(server: Server) {
    this.server = server
  }

  /** Somebody wants this server to end, and it has not ended yet. */
  get isAskedFor(): boolean {
    return this.requested !== null || this.isUnderWay
  }

  request(flags: ShutdownFlags): void {
    this.requested = flags
  }

  /** How long replicas may still take, milliseconds; null if nothing waits for them. */
  get graceMs(): number | null {
    return this.grace === null ? null : this.grace.untilMs - this.server.engine.clock.nowMs
  }

  /** The cron's share. */
  tick(): void {
    const { grace } = this
    if (grace !== null && (this.graceMs! <= 0 || this.server.replication.replicas.haveAll())) {
      this.grace = null
      grace.goOn()
    }
    const flags = this.requested
    if (flags === null || this.isUnderWay) return
    const { engine, logger } = this.server
    const isLoading = (engine.gate & GATE_LOADING) !== 0
    this.begin(isLoading ? new Set([...flags, 'nosave']) : flags, null, (succeeded) => {
      if (succeeded || !isLoading) return
      logger.warning('SIGTERM received but errors trying to shut down the server, check the logs for more information')
    })
  }

  /** Ends the server; `client` waits for that, or for the error. */
  begin(flags: ShutdownFlags, client: Session | null, onResult: (succeeded: boolean) => void = () => {}): void {
    if (client !== null) {
      client.setFlag(BLOCKED)
      this.waiting.add(client)
    }
    if (this.isUnderWay) return
    this.isUnderWay = true
    const { logger, engine, config, replication } = this.server
    logger.warning('User requested shutdown...')
    const seconds = config.fields.shutdownTimeout
    if (flags.has('now') || seconds === 0 || replication.replicas.haveAll()) {
      this.conclude(flags, onResult)
      return
    }
    const goOn = () => this.conclude(flags, onResult)
    this.grace = { untilMs: engine.clock.nowMs + seconds * 1000, goOn }
    if (!engine.pause.isPaused) replication.replicas.askForAcks()
    engine.pause.start('write', Number.POSITIVE_INFINITY, 'shutdown')
    logger.notice('Waiting for replicas before shutting down.')
  }

  /** Saves, if that is wanted, and ends. */
  private conclude(flags: ShutdownFlags, onResult: (succeeded: boolean) => void): void {
    const { logger, engine, config, persistence, replication } = this.server
    replication.replicas.logLagging()
    const isLoading = (engine.gate & GATE_LOADING) !== 0
    const saves = !isLoading && (flags.has('save') || (config.fields.save.length > 0 && !flags.has('nosave')))
    persistence.endBackgroundSave()
    const { aof } = persistence
    if (aof.isRewriting && aof.phase === 'waiting' && !flags.has('force')) {
      // Without the first base nothing of the data would be there.
      logger.warning("Writing initial AOF, can't exit.")
      this.fail()
      onResult(false)
      return
    }
    if (aof.isRewriting) {
      if (aof.phase === 'waiting') logger.warning('Writing initial AOF. Exit anyway.')
      logger.warning('There is a child rewriting the AOF. Killing it!')
      aof.killRewrite()
    }
    if (aof.phase !== 'off') {
      logger.notice('Calling fsync() on the AOF file.')
      aof.syncNow()
    }
    if (!saves) {
      this.finish()
      onResult(true)
      return
    }
    logger.notice('Saving the final RDB snapshot before exiting.')
    engine.pause.start('all', Number.POSITIVE_INFINITY, 'shutdown')
    persistence.saveInSteps().then(
      (saved) => {
        if (!this.isUnderWay || engine.isStopped) return
        if (!saved)
          logger.warning(`Error trying to save the DB${flags.has('force') ? '. Exit anyway.' : ", can't exit."}`)
        if (saved || flags.has('force')) this.finish()
        else this.fail()
        onResult(saved || flags.has('force'))
      },
      (error: unknown) => engine.fail(error, null),
    )
  }

  /** SHUTDOWN ABORT. Returns false if there is nothing to abort. */
  abort(): boolean {
    if (!this.isAskedFor) return false
    this.cancel()
    this.server.logger.notice('Shutdown manually aborted.')
    return true
  }

  private finish(): void {
    const { logger, parts, engine, listener } = this.server
    if (parts.removePidFile !== null) {
      logger.notice('Removing the pid file.')
      parts.removePidFile()
    }
    if (listener.removeUnixSockets()) logger.notice('Removing the unix socket file.')
    logger.warning('Redis is now ready to exit, bye bye...')
    engine.stop()
    parts.onShutdown(this.server)
  }

  private fail(): void {
    this.server.logger.warning('Errors trying to shut down the server. Check the logs for more information.')
    this.cancel()
  }

  private cancel(): void {
    const { engine } = this.server
    this.requested = null
    this.isUnderWay = false
    this.grace = null
    const clients = [...this.waiting]
    this.waiting.clear()
    for (const client of clients) {
      engine.blocking.answer(client, (reply) => reply.errorText('ERR Errors trying to SHUTDOWN. Check logs.'))
    }
    engine.pause.end('shutdown')
  }
}
