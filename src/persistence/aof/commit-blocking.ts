/**
 * Whether the server itself may wait for an fsync of `appendfsync always` instead of a thread. A thread leaves everybody else
 * served meanwhile, and is slower: it must be woken, and so must the server when it is done. Where everybody who sends anything
 * waits for that fsync, there is nobody else, and Redis's way (write, fsync, replies) is the faster one.
 *
 *   every batch received since the last fsync is from a client that waits for this one -> the server waits
 *   somebody else was heard a moment ago, or fsyncs take long on this disk              -> a thread
 *
 * So somebody who begins to send among clients that write may once wait for an fsync.
 */

/** So long after somebody else was heard a thread does it. */
const OTHERS_US = 100_000
/** Mean duration of fsyncs up to which it is worth it. */
const QUICK_US = 2000
/** The mean is over about so many of them. */
const MEAN_OF = 16

export class CommitBlocking {
  private batchesBefore = 0
  private notBeforeUs = 0
  private meanUs = 0

  /** Asked once for each fsync. `batches`: how many were received so far; `waiting`: clients that wait for the fsync. */
  mayBlock(batches: number, waiting: number, nowUs: number): boolean {
    if (batches - this.batchesBefore !== waiting) this.notBeforeUs = nowUs + OTHERS_US
    this.batchesBefore = batches
    return waiting > 0 && nowUs >= this.notBeforeUs && this.meanUs <= QUICK_US
  }

  /** An fsync has ended, whoever waited for it. */
  took(us: number): void {
    this.meanUs += (us - this.meanUs) / MEAN_OF
  }
}
