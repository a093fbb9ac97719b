/** How replication reaches another server. net/ has the real thing, tests a simulated network. */

export interface LinkEvents {
  /** The name of the host was looked up, and is known. */
  resolved?(): void
  connected(): void
  /** bytes[0, length) came in; valid during the call. */
  received(bytes: Uint8Array, length: number): void
  /** It is over, from the other side or by a failure: why, in the words of the C library, empty for a mere end. Called once. `isUnresolved`: there is no such host. */
  closed(reason: string, isUnresolved?: boolean): void
}

export interface Link {
  /** The name of the host is being looked up: `resolved` or `closed` follows. */
  readonly isResolving?: boolean
  /** Own and other end as "ip:port"; empty until connected. */
  readonly localAddress: string
  readonly remoteAddress: string
  /** Sends bytes that stay as they are. */
  send(bytes: Uint8Array): void
  setReading(reading: boolean): void
  /** Ends it from this side. No event follows. */
  close(): void
}

export interface Network {
  /** Begins to connect. Never calls back before it has returned. */
  connect(host: string, port: number, events: LinkEvents): Link
}
