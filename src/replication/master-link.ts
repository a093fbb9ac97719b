/**
 * The replica side: the link to the master, from the attempt to connect to the stream of commands, and back to the start
 * whenever something fails.
 *
 *   none | connect -> connecting -> handshake (PING, AUTH, REPLCONF ..., PSYNC) -> transfer -> connected
 *                                                                         \---- CONTINUE ----/
 *
 * When the link breaks, id, offset and selected database of the master are kept (`cached`), so that the next PSYNC can ask for
 * what is missing. Steps, rules and log lines are Redis's; where Redis waits for an answer this is an event.
 * Source: Redis 7.0, replication.c (syncWithMaster and what it calls).
 */
import { Argv } from '../base/argv.ts'
import { latin1Bytes, latin1Text } from '../base/byte-text.ts'
import { reprText } from '../base/quoting.ts'
import { clientInfo } from '../engine/client-info.ts'
import { FROM_MASTER, type OutputSink, type Session } from '../engine/session.ts'
import { panicOnError } from '../engine/unexpected-error.ts'
import { FileError } from '../persistence/file-system.ts'
import type { LoadedReplication } from '../persistence/persistence.ts'
import { encodeRequest } from '../resp/request-encoder.ts'
import { type DataEnd, type DataReceiver, FileReceiver, type ReceiverHost, StreamReceiver } from './data-receivers.ts'
import { REPLICATION_ID_LENGTH } from './history.ts'
import type { Link } from './link.ts'
import { INLINE_PROTOCOL, MasterStream } from './master-stream.ts'
import { secondsBetween } from './replicas.ts'
import type { Replication } from './replication.ts'

export type LinkState =
  | 'none'
  | 'connect'
  | 'connecting'
  | 'ping'
  | 'auth'
  | 'port'
  | 'ip'
  | 'capa'
  | 'psync'
  | 'transfer'
  | 'connected'

const HANDSHAKE: ReadonlySet<LinkState> = new Set(['ping', 'auth', 'port', 'ip', 'capa', 'psync'])
/** Answers are lines; longer ones are no answers of a master's. */
const REPLY_BYTES_MAX = 256
const HEADER_BYTES_MAX = 1024
const BACKLOG_SAMPLE_BYTES = 256
const LF = 10
const CR = 13
const NEWLINE = new Uint8Array([LF])
/** A master is none of the users: CLIENT LIST says so, and CLIENT KILL USER spares it. */
const MASTER_USER = '(superuser)'

export interface CachedMaster {
  id: string
  readonly offset: number
  readonly dbIndex: number
}

export class MasterLink {
  state: LinkState = 'none'
  /** The master that was lost, or the one that this server was itself: what PSYNC can ask to continue. */
  cached: CachedMaster | null = null
  /** The session that the master's commands run in. */
  session: Session | null = null
  /** Since when there has been no link, Unix milliseconds; 0 = there is one, or never was. */
  downSinceMs = 0
  /** Of the transfer under way: -1 until the master has said. */
  transferBytes = -1
  transferredBytes = 0
  lastIoMs = 0
  private readonly replication: Replication
  private link: Link | null = null
  private stream: MasterStream | null = null
  private receiver: DataReceiver | null = null
  /** The link has gone while the data was being loaded from a file. */
  private isLinkLost = false
  /** What the master said of its history in +FULLRESYNC. Without an id it knows no PSYNC. */
  private masterId = ''
  private initialOffset = -1
  /** The history that the session under `session` belongs to. */
  private sessionId = ''
  private isOldMaster = false
  private line: number[] = []

  constructor(replication: Replication) {
    this.replication = replication
  }

  get isHandshaking(): boolean {
    return HANDSHAKE.has(this.state)
  }

  /** As ROLE calls it. */
  get roleState(): string {
    if (this.isHandshaking) return 'handshake'
    return this.state === 'transfer' ? 'sync' : this.state
  }

  /** How much of the master's stream was applied; -1 without a stream. */
  get offset(): number {
    return this.stream?.offset ?? -1
  }

  get readOffset(): number {
    return this.stream?.readOffset ?? -1
  }

  /** The database that the master's next command is for; -1 if no master is known. */
  get dbIndex(): number {
    return this.session?.db.index ?? this.cached?.dbIndex ?? -1
  }

  // Beginning and ending

  connect(): void {
    const { replication } = this
    const { engine, network } = replication
    const { host, port } = replication.masterAddress!
    this.line = []
    this.isLinkLost = false
    this.lastIoMs = engine.clock.nowMs
    this.state = 'connecting'
    const started = () => engine.log('notice', 'MASTER <-> REPLICA sync started')
    const link = network.connect(host, port, {
      resolved: () => {
        if (this.link === link) started()
      },
      connected: () => {
        if (this.link === link) this.connected()
      },
      received: (bytes, length) => {
        if (this.link === link) this.received(link, bytes, length)
      },
      closed: (reason, isUnresolved) => {
        if (this.link === link) this.closed(reason, isUnresolved === true)
      },
    })
    this.link = link
    if (link.isResolving !== true) started()
  }

  /** Ends an attempt or a transfer. Returns whether there was one. */
  cancelHandshake(reconnects: boolean): boolean {
    const { replication, state } = this
    if (state !== 'transfer' && state !== 'connecting' && !this.isHandshaking) return false
    const { receiver } = this
    this.receiver = null
    this.dropLink()
    this.state = 'connect'
    receiver?.cancel()
    if (!reconnects) return true
    const { host, port } = replication.masterAddress!
    replication.engine.log('notice', `Reconnecting to MASTER ${host}:${port} after failure`)
    this.connect()
    return true
  }

  /** Ends the session of the master, without a cache and without another attempt. */
  dropMaster(): void {
    const { session } = this
    if (session === null) return
    this.replication.engine.close(session, true)
  }

  discardCached(): void {
    if (this.cached === null) return
    this.replication.engine.log('notice', 'Discarding previously cached master state.')
    this.cached = null
  }

  /** Before this master becomes a replica: a new master that was our replica may let us continue. */
  cacheMyself(dbIndex = 0): void {
    const { engine, history, offset } = this.replication
    engine.log(
      'notice',
      'Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able to synchronize with the new master with just a partial transfer.',
    )
    this.cached = { id: history.id, offset, dbIndex }
  }

  /** The session of the master has ended, for whatever reason. */
  disconnected(session: Session): void {
    if (session !== this.session) return
    const { replication, stream } = this
    const { engine } = replication
    engine.log('warning', 'Connection with master lost.')
    stream?.passOn()
    if (!this.isBroken) {
      engine.log('notice', 'Caching the disconnected master state.')
      this.cached = { id: this.sessionId, offset: stream!.offset, dbIndex: session.db.index }
    }
    this.isBroken = false
    this.session = null
    this.stream = null
    this.dropLink()
    this.state = replication.masterAddress === null ? 'none' : 'connect'
    this.downSinceMs = engine.clock.nowMs
    replication.linkChanged()
    if (replication.masterAddress === null || engine.isStopped) return
    const { host, port } = replication.masterAddress
    engine.log('notice', `Reconnecting to MASTER ${host}:${port}`)
    this.connect()
  }

  /** The server closes. */
  close(): void {
    const { receiver } = this
    this.receiver = null
    this.state = 'none'
    this.dropLink()
    receiver?.cancel()
  }

  // Time

  /** Once a second. */
  tick(): void {
    const { replication, state } = this
    const { engine, settings, masterAddress } = replication
    if (masterAddress === null) return
    const { nowMs } = engine.clock
    const idleSeconds = secondsBetween(this.lastIoMs, nowMs)
    if ((state === 'connecting' || this.isHandshaking) && idleSeconds > settings.timeoutSeconds) {
      engine.log('warning', 'Timeout connecting to the MASTER...')
      this.cancelHandshake(true)
    }
    if (this.state === 'transfer' && this.receiver?.isLoading !== true && idleSeconds > settings.timeoutSeconds) {
      engine.log(
        'warning',
        "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.",
      )
      this.cancelHandshake(true)
    }
    if (this.session !== null && secondsBetween(this.session.lastInteractionMs, nowMs) > settings.timeoutSeconds) {
      engine.log('warning', 'MASTER timeout: no data nor PING received...')
      engine.close(this.session, true)
    }
    if (this.state === 'connect') {
      engine.log('notice', `Connecting to MASTER ${masterAddress.host}:${masterAddress.port}`)
      this.connect()
    }
    if (this.state === 'transfer' && this.transferredBytes > 0) this.link?.send(NEWLINE)
    if (!this.isOldMaster) this.sendAck()
  }

  /** Tells the master how far we are. */
  sendAck(): void {
    if (this.stream === null) return
    this.send('REPLCONF', 'ACK', String(this.stream.offset))
  }

  // Handshake

  private connected(): void {
    const { engine } = this.replication
    engine.log('notice', 'Non blocking connect for SYNC fired the event.')
    this.state = 'ping'
    this.send('PING')
  }

  private received(link: Link, bytes: Uint8Array, length: number): void {
    const { statistics, engine } = this.replication
    statistics.inputBytes += length
    engine.clock.refresh()
    for (let at = 0; at < length && this.link === link; ) {
      if (this.stream !== null) {
        this.stream.receive(bytes, at, length)
        return
      }
      if (this.receiver !== null) {
        this.lastIoMs = engine.clock.nowMs
        const from = at
        at = this.receiver.take(bytes, at, length)
        this.transferredBytes += at - from
        // What follows the data while it is being loaded waits in the stream that will be.
        if (at === from && this.receiver !== null) {
          this.early.push(bytes.slice(at, length))
          return
        }
      } else at = this.takeLine(bytes, at, length)
    }
  }

  /** Input that came with the end of the data. */
  private early: Uint8Array[] = []

  private takeLine(bytes: Uint8Array, from: number, to: number): number {
    const { line } = this
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!
      if (byte === LF) {
        if (line[line.length - 1] === CR) line.pop()
        const text = latin1Text(Uint8Array.from(line), 0, line.length)
        this.line = []
        this.lastIoMs = this.replication.engine.clock.nowMs
        this.answered(text)
        return at + 1
      }
      line.push(byte)
      if (line.length < (this.state === 'transfer' ? HEADER_BYTES_MAX : REPLY_BYTES_MAX) - 1) continue
      // Longer lines come in parts, of which the first counts.
      const text = latin1Text(Uint8Array.from(line), 0, line.length)
      this.line = []
      this.answered(text)
      return at + 1
    }
    return to
  }

  /** The link has ended. */
  private closed(reason: string, isUnresolved: boolean): void {
    const { engine } = this.replication
    const { state, receiver, session } = this
    if (session !== null) {
      engine.close(session, true)
      return
    }
    if (state === 'connecting') {
      if (isUnresolved) engine.log('warning', `Unable to connect to MASTER: ${reason}`)
      else engine.log('warning', `Error condition on socket for SYNC: ${reason}`)
      this.fail()
    } else if (state === 'transfer') {
      if (receiver?.isLoading === true) {
        this.isLinkLost = true
        return
      }
      if (receiver === null) {
        engine.log('warning', `I/O error reading bulk count from MASTER: ${reason || 'Success'}`)
      } else if (!receiver.cutShort()) {
        engine.log('warning', `I/O error trying to sync with MASTER: ${reason || 'connection lost'}`)
      } else return
      this.cancelHandshake(true)
    } else {
      engine.log('warning', `Failed to read response from the server: ${reason || 'Success'}`)
      if (state === 'psync') engine.log('warning', 'Master did not reply to PSYNC, will try later')
      else engine.log('warning', 'Master did not respond to command during SYNC handshake')
      if (state === 'psync' && this.replication.failover.isInProgress) {
        this.replication.failover.abort('Failover target rejected psync request')
        return
      }
      this.fail()
    }
  }

  /** Gives up this attempt; the cron begins another. */
  private fail(): void {
    this.dropLink()
    this.state = 'connect'
  }

  private answered(line: string): void {
    const { engine } = this.replication
    switch (this.state) {
      case 'ping':
        if (!/^(\+|-NOAUTH|-NOPERM|-ERR operation not permitted)/.test(line)) {
          engine.log('warning', `Error reply to PING from master: '${line}'`)
          this.fail()
          return
        }
        engine.log('notice', 'Master replied to PING, replication can continue...')
        this.introduce()
        return
      case 'auth':
        if (line.startsWith('-')) {
          engine.log('warning', `Unable to AUTH to MASTER: ${line}`)
          this.fail()
        } else this.state = 'port'
        return
      case 'port':
        this.noteRefusal('listening-port', line)
        this.state = this.replication.settings.announceIp === '' ? 'capa' : 'ip'
        return
      case 'ip':
        this.noteRefusal('ip-address', line)
        this.state = 'capa'
        return
      case 'capa':
        this.noteRefusal('capa', line)
        this.askToContinue()
        return
      case 'psync':
        if (line !== '') this.psyncAnswered(line)
        return
      case 'transfer':
        this.headerRead(line)
        return
      default:
    }
  }

  private noteRefusal(option: string, line: string): void {
    if (!line.startsWith('-')) return
    this.replication.engine.log('notice', `(Non critical) Master does not understand REPLCONF ${option}: ${line}`)
  }

  /** Who we are, all at once. */
  private introduce(): void {
    const { settings } = this.replication
    const { masterAuth, masterUser, announceIp } = settings
    if (masterAuth !== '') {
      this.send(...(masterUser === '' ? ['AUTH', masterAuth] : ['AUTH', masterUser, masterAuth]))
    }
    this.send('REPLCONF', 'listening-port', String(settings.announcePort || this.replication.listeningPort()))
    if (announceIp !== '') this.send('REPLCONF', 'ip-address', announceIp)
    this.send('REPLCONF', 'capa', 'eof', 'capa', 'psync2')
    this.state = masterAuth === '' ? 'port' : 'auth'
  }

  private askToContinue(): void {
    const { replication, cached } = this
    const { engine } = replication
    this.initialOffset = -1
    this.masterId = ''
    let id = '?'
    let offset = '-1'
    if (cached === null) engine.log('notice', 'Partial resynchronization not possible (no cached master)')
    else {
      id = cached.id
      offset = String(cached.offset + 1)
      engine.log('notice', `Trying a partial resynchronization (request ${id}:${offset}).`)
    }
    if (replication.failover.isInProgress) this.send('PSYNC', id, offset, 'FAILOVER')
    else this.send('PSYNC', id, offset)
    this.state = 'psync'
  }

  private psyncAnswered(line: string): void {
    const { replication } = this
    const { engine, failover } = replication
    if (line.startsWith('+FULLRESYNC')) {
      const [, id, offset] = line.split(' ')
      if (id === undefined || offset === undefined || id.length !== REPLICATION_ID_LENGTH) {
        engine.log('warning', 'Master replied with wrong +FULLRESYNC syntax.')
      } else {
        this.masterId = id
        this.initialOffset = Number.parseInt(offset, 10) || 0
        engine.log('notice', `Full resync from master: ${id}:${this.initialOffset}`)
      }
      failover.succeeded()
      this.beginTransfer()
    } else if (line.startsWith('+CONTINUE') && this.cached !== null) {
      engine.log('notice', 'Successful partial resynchronization with master.')
      failover.succeeded()
      this.goOn(/^\+CONTINUE ([0-9a-fA-F]{40})$/.exec(line)?.[1] ?? this.cached.id)
    } else {
      const isTransient = line.startsWith('-NOMASTERLINK') || line.startsWith('-LOADING')
      if (isTransient) {
        engine.log('notice', `Master is currently unable to PSYNC but should be in the future: ${line}`)
      } else if (line.startsWith('-ERR')) {
        engine.log('notice', `Master does not support PSYNC or is in error state (reply: ${line})`)
      } else engine.log('warning', `Unexpected reply to PSYNC from master: ${line}`)
      if (failover.isInProgress) {
        failover.abort('Failover target rejected psync request')
        return
      }
      if (isTransient) {
        this.fail()
        return
      }
      engine.log('notice', 'Retrying with SYNC...')
      this.link?.send(latin1Bytes('SYNC\r\n'))
      this.beginTransfer()
    }
  }

  /** The master lets us go on from where we were. */
  private goOn(id: string): void {
    const { replication } = this
    const { engine, history } = replication
    const cached = this.cached!
    if (id !== cached.id) {
      engine.log('warning', `Master replication ID changed to ${id}`)
      history.shift(replication.offset, id, cached.id)
      cached.id = id
      replication.replicas.disconnectAll()
    }
    this.cached = null
    this.openSession(cached.id, cached.offset, cached.dbIndex)
    if (replication.buffer === null) replication.createBacklog(false)
    engine.log('notice', 'MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.')
    replication.inSync()
  }

  // Full synchronization

  private beginTransfer(): void {
    const { engine } = this.replication
    this.state = 'transfer'
    this.receiver = null
    this.early = []
    this.transferBytes = -1
    this.transferredBytes = 0
    this.lastIoMs = engine.clock.nowMs
  }

  private headerRead(line: string): void {
    const { engine } = this.replication
    if (line === '') return
    if (line.startsWith('-')) {
      engine.log('warning', `MASTER aborted replication with an error: ${line.slice(1)}`)
      this.cancelHandshake(true)
      return
    }
    if (!line.startsWith('$')) {
      engine.log(
        'warning',
        `Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure the host and port are right?`,
      )
      this.cancelHandshake(true)
      return
    }
    const toParser = this.loadsDirectly()
    const where = toParser ? 'to parser' : 'to disk'
    const mark = /^\$EOF:(.{40})/.exec(line)?.[1]
    let end: DataEnd
    if (mark !== undefined) {
      end = { kind: 'mark', mark }
      this.transferBytes = 0
      engine.log('notice', `MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF ${where}`)
    } else {
      const bytes = Math.max(0, Number.parseInt(line.slice(1), 10) || 0)
      end = { kind: 'size', bytes }
      this.transferBytes = bytes
      engine.log('notice', `MASTER <-> REPLICA sync: receiving ${bytes} bytes from master ${where}`)
    }
    const host = this.receiverHost(mark !== undefined)
    if (toParser) this.receiver = this.streamReceiver(host, end)
    else {
      try {
        this.receiver = new FileReceiver(host, this.replication.persistence.receiveFile(), end)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        engine.log('warning', `Opening the temp file needed for MASTER <-> REPLICA synchronization: ${error.message}`)
        this.fail()
      }
    }
  }

  /** repl-diskless-load; who keeps off the disk has no other way. */
  private loadsDirectly(): boolean {
    const { engine, settings } = this.replication
    const { disklessLoad, keepsOffDisk } = settings
    if (keepsOffDisk || disklessLoad === 'swapdb') return true
    return disklessLoad === 'on-empty-db' && engine.keyspace.keyCount() === 0
  }

  private streamReceiver(host: ReceiverHost, end: DataEnd): StreamReceiver {
    const { settings, history } = this.replication
    const swaps = settings.disklessLoad === 'swapdb' || (settings.disklessLoad === 'disabled' && settings.keepsOffDisk)
    // Of the same history the old data is merely older, so it may still be read.
    return new StreamReceiver(host, end, swaps, swaps && history.id === this.masterId)
  }

  private receiverHost(hasMark: boolean): ReceiverHost {
    const { replication } = this
    const { engine, persistence, scheduler } = replication
    return {
      engine,
      persistence,
      scheduler,
      attachToNewMaster: () => {
        this.discardCached()
        replication.replicas.disconnectAll()
        replication.dropBacklog()
      },
      stopAppending: () => replication.stopAppending(),
      flushData: () => replication.flushData(),
      setReading: (reading) => this.link?.setReading(reading),
      fileRead: () => replication.removeReceived(),
      loaded: (facts) => this.dataLoaded(facts, hasMark),
      failed: () => {
        this.receiver = null
        this.cancelHandshake(true)
      },
      follows: (bytes) => this.stream?.receive(bytes, 0, bytes.length),
    }
  }

  private dataLoaded(facts: LoadedReplication | null, hasMark: boolean): void {
    const { replication, early } = this
    const { engine, history } = replication
    this.receiver = null
    this.early = []
    this.isOldMaster = this.masterId === ''
    history.clearSecond()
    if (!this.isOldMaster) history.id = this.masterId
    replication.setOffset(this.initialOffset)
    this.openSession(this.masterId, this.initialOffset, facts?.dbIndex ?? 0)
    if (replication.buffer === null) replication.createBacklog(false)
    engine.log('notice', 'MASTER <-> REPLICA sync: Finished with success')
    if (hasMark) this.sendAck()
    replication.startAppending()
    replication.inSync()
    if (this.isLinkLost) {
      engine.close(this.session!, true)
      return
    }
    this.link?.setReading(true)
    for (const bytes of early) this.stream?.receive(bytes, 0, bytes.length)
  }

  // The stream

  private openSession(id: string, offset: number, dbIndex: number): void {
    const { replication } = this
    const { engine } = replication
    const session = engine.connect(this.sink(), FROM_MASTER)
    engine.setAuthenticated(session, true)
    session.user = MASTER_USER
    session.db = engine.keyspace.databases[dbIndex] ?? engine.keyspace.databases[0]!
    const { link } = this
    if (link !== null) {
      session.address = link.remoteAddress
      session.localAddress = link.localAddress
    }
    const stream = new MasterStream(session, offset, {
      applied: (bytes, start, length) => replication.applied(bytes, start, length),
      broken: (detail) => this.broken(session, detail),
    })
    session.source = stream
    session.onUnexpectedError = () => this.commandFailed(session)
    this.session = session
    this.sessionId = id
    this.stream = stream
    this.state = 'connected'
    this.downSinceMs = 0
    replication.linkChanged()
  }

  private isBroken = false

  private broken(session: Session, detail: string): void {
    const { engine } = this.replication
    if (detail === INLINE_PROTOCOL) {
      engine.log(
        'warning',
        'WARNING: Receiving inline protocol from master, master stream corruption? Closing the master connection and discarding the cached master.',
      )
    }
    engine.log('warning', `Protocol error (${detail}) from client: ${clientInfo(session)}`)
    this.isBroken = true
    engine.close(session, true)
  }

  /** Masters want no replies. */
  private sink(): OutputSink {
    return {
      queuedBytes: 0,
      queuedChunks: 0,
      sendReplies: (reply) => reply.clear(),
      send() {},
      close: () => {},
      setReading: (reading) => this.link?.setReading(reading),
    }
  }

  /** The log shows what came before the command that has failed. */
  private commandFailed(session: Session): void {
    const { engine, buffer, settings } = this.replication
    this.stream?.passOn()
    if (buffer !== null && buffer.length > 0) {
      const latest = buffer.latest(BACKLOG_SAMPLE_BYTES)
      engine.log('warning', `Latest backlog is: '${reprText(latest, 0, latest.length)}'`)
    }
    if (settings.panicsOnErrors && settings.readOnly) panicOnError(engine, session)
  }

  private send(...parts: readonly string[]): void {
    const bytes = encodeRequest(Argv.of(parts.map(latin1Bytes)))
    this.replication.statistics.outputBytes += bytes.length
    this.link?.send(bytes)
  }

  private dropLink(): void {
    const { link } = this
    this.link = null
    link?.close()
  }
}
