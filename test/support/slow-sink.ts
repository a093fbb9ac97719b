/** A connection whose other end reads only when told to. */
import type { OutputSink } from '../../src/engine/session.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'

export class SlowSink implements OutputSink {
  queuedBytes = 0
  closed: 'no' | 'at once' | 'after what is queued' = 'no'
  isReading = true
  /** How many times something was handed over. */
  writes = 0
  private queue: Uint8Array[] = []

  get queuedChunks(): number {
    return this.queue.length
  }

  sendReplies(reply: ReplyWriter): void {
    for (const chunk of reply.take()) this.send(chunk)
  }

  send(bytes: Uint8Array): void {
    this.writes++
    this.queue.push(bytes)
    this.queuedBytes += bytes.length
  }

  close(atOnce: boolean): void {
    if (this.closed === 'no') this.closed = atOnce ? 'at once' : 'after what is queued'
  }

  setReading(reading: boolean): void {
    this.isReading = reading
  }

  /** The other end reads everything. */
  read(): string {
    const text = Buffer.concat(this.queue).toString('latin1')
    this.queue = []
    this.queuedBytes = 0
    return text
  }
}
