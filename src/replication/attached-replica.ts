/** A client that is, or is about to become, a replica of this server: what REPLCONF told of it, and how far it is. */
import type { Session } from '../engine/session.ts'
import type { StreamReader } from './replication-buffer.ts'

/**
 * none -> waits for a snapshot -> the snapshot is being made -> (it is being sent, from disk) -> online.
 * A replica that wants the data only is `sent` in the end.
 */
export type AttachedState = 'none' | 'wait-start' | 'wait-end' | 'send-bulk' | 'online' | 'sent'

export const NOT_READING = Number.POSITIVE_INFINITY

const STATE_NAMES: Readonly<Record<AttachedState, string>> = {
  none: '',
  'wait-start': 'wait_bgsave',
  'wait-end': 'wait_bgsave',
  'send-bulk': 'send_bulk',
  online: 'online',
  sent: '',
}

export class AttachedReplica implements StreamReader {
  readonly session: Session
  state: AttachedState = 'none'
  /** What was handed to the network; NOT_READING while the stream is not for it. */
  position = NOT_READING
  /** Position of the stream at the moment of its snapshot. */
  startPosition = 0
  /** The stream begins when it says that it has the data (diskless transfer). */
  startsOnAck = false
  ackOffset = 0
  ackMs = 0
  /** What it has told: REPLCONF listening-port, ip-address, capa, rdb-only, rdb-filter-only. */
  listeningPort = 0
  announcedAddress = ''
  takesEof = false
  knowsPsync2 = false
  rdbOnly = false
  wantsData = true
  wantsFunctions = true
  /** Came by SYNC: it acknowledges nothing. */
  isOld = false
  /** Since when the network has not taken a part of the transfer; 0 = it takes all. */
  stuckMs = 0
  stuckBytes = 0

  constructor(session: Session) {
    this.session = session
  }

  get host(): string {
    if (this.announcedAddress !== '') return this.announcedAddress
    const { address } = this.session
    return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
  }

  /** As the log calls it. */
  get name(): string {
    const { host, listeningPort, session } = this
    if (host === '') return `client id #${session.id}`
    if (listeningPort === 0) return `${host}:<unknown-replica-port>`
    return host.includes(':') ? `[${host}]:${listeningPort}` : `${host}:${listeningPort}`
  }

  /** As INFO calls its state; empty if INFO does not show it. */
  get stateName(): string {
    return STATE_NAMES[this.state]
  }

  /** What it wants of the data, to be compared. */
  get request(): string {
    return `${this.wantsData} ${this.wantsFunctions}`
  }

  /** The stream may be sent to it. */
  get isStreaming(): boolean {
    return this.state === 'online' && !this.startsOnAck
  }

  queuedBytes(): number {
    return this.session.sink === null ? 0 : this.session.sink.queuedBytes
  }
}
