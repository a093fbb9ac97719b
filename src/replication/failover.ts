/**
 * FAILOVER: a master hands its part to one of its replicas. Writes pause, a replica catches up, the roles change, and the
 * replica is asked by PSYNC ... FAILOVER to be the master.
 *
 *   none -> waiting for sync -> in progress -> none
 *
 * Rules and log lines are Redis's (replication.c).
 */
import type { AttachedReplica } from './attached-replica.ts'
import type { Replication } from './replication.ts'

export interface FailoverTarget {
  readonly host: string
  readonly port: number
}

const STATE_NAMES = {
  none: 'no-failover',
  waiting: 'waiting-for-sync',
  'in-progress': 'failover-in-progress',
} as const

export class Failover {
  private state: keyof typeof STATE_NAMES = 'none'
  private target: FailoverTarget | null = null
  private isForced = false
  /** Unix milliseconds; 0 = no end. */
  private untilMs = 0
  private readonly replication: Replication

  constructor(replication: Replication) {
    this.replication = replication
  }

  get isUnderWay(): boolean {
    return this.state !== 'none'
  }

  /** The role has been given away and the replica is being asked. */
  get isInProgress(): boolean {
    return this.state === 'in-progress'
  }

  /** As INFO calls it. */
  get stateName(): string {
    return STATE_NAMES[this.state]
  }

  /** Waits until a moment at most. */
  get hasEnd(): boolean {
    return this.untilMs !== 0
  }

  /** Begins. What is asked for has been checked. */
  start(target: FailoverTarget | null, timeoutMs: number, isForced: boolean): void {
    const { engine } = this.replication
    if (target === null) engine.log('notice', 'FAILOVER requested to any replica.')
    else engine.log('notice', `FAILOVER requested to ${target.host}:${target.port}.`)
    this.target = target
    this.untilMs = timeoutMs === 0 ? 0 : engine.clock.nowMs + timeoutMs
    this.isForced = isForced
    this.state = 'waiting'
    engine.pause.start('write', Number.POSITIVE_INFINITY, 'failover')
    this.replication.replicas.scheduleFlush()
  }

  /** The replica has become the master. */
  succeeded(): void {
    if (this.state === 'in-progress') this.clear()
  }

  abort(reason: string): void {
    const { target, state, replication } = this
    if (state === 'none') return
    const whom = target === null ? 'any replica' : `${target.host}:${target.port}`
    replication.engine.log('notice', `FAILOVER to ${whom} aborted: ${reason}`)
    if (state === 'in-progress') replication.becomeMaster()
    this.clear()
  }

  /** Looks whether a replica has caught up, or time is over. */
  update(): void {
    if (this.state !== 'waiting') return
    const { engine, replicas, offset } = this.replication
    if (this.untilMs !== 0 && this.untilMs <= engine.clock.nowMs) {
      if (!this.isForced) {
        this.abort('Replica never caught up before timeout')
        return
      }
      const { host, port } = this.target!
      engine.log('notice', `FAILOVER to ${host}:${port} time out exceeded, failing over.`)
      this.handOver(this.target!)
      return
    }
    let found: AttachedReplica | null = null
    for (const replica of replicas.all) {
      if (replica.ackOffset !== offset || !this.isTarget(replica)) continue
      found = replica
      break
    }
    if (found === null) return
    this.target ??= { host: found.host, port: found.listeningPort }
    engine.log('notice', `Failover target ${this.target.host}:${this.target.port} is synced, failing over.`)
    this.handOver(this.target)
  }

  /** The replica at an address. */
  find({ host, port }: FailoverTarget): AttachedReplica | null {
    for (const replica of this.replication.replicas.all) {
      if (replica.host.toLowerCase() === host.toLowerCase() && replica.listeningPort === port) return replica
    }
    return null
  }

  private isTarget(replica: AttachedReplica): boolean {
    return this.target === null || this.find(this.target) === replica
  }

  private handOver(target: FailoverTarget): void {
    this.state = 'in-progress'
    this.replication.follow(target)
  }

  private clear(): void {
    this.untilMs = 0
    this.isForced = false
    this.target = null
    this.state = 'none'
    this.replication.engine.pause.end('failover')
  }
}
