/**
 * What the engine asks and tells replication, which stands above it. An engine without any is a master whom nobody
 * follows.
 */
import type { Argv } from '../base/argv.ts'
import type { ErrorReply } from '../resp/errors.ts'
import type { Session } from './session.ts'

export interface ReplicationSeam {
  /** Follows a master. */
  readonly isReplica: boolean
  /** Why a command of these flags may not run, as the questions before a command come to it; null if it may. */
  writeRefusal(session: Session, flags: number): ErrorReply | null
  /** The same while the data may be stale or is about to be replaced; `missing`: flags that the command lacks. */
  staleRefusal(missing: number): ErrorReply | null
  /** A command of the master's is to run although the disk has failed. */
  diskFailed(isWrite: boolean): void
  /** A client waits until `replicas` have all that it wrote (WAIT); answered by `engine.blocking`. */
  awaitReplicas(session: Session, replicas: bigint): void
  /** It waits no more. */
  stopAwaiting(session: Session): void
  /** A client of ours that has to do with replication is gone. */
  disconnected(session: Session): void
  /** The network has taken all that was queued for a replica. */
  drained(session: Session): void
  /** A replica has sent something that has a reply, which has no place in the stream. */
  replied(session: Session): void
  /** A replica has sent an empty line, which says that it is there. */
  heard(session: Session): void
  /** What a replica has yet to read of the stream that all replicas share. */
  outputOf(session: Session): ReplicaOutput
}

export interface ReplicaOutput {
  readonly blocks: number
  readonly bytes: number
}

export const NO_OUTPUT: ReplicaOutput = { blocks: 0, bytes: 0 }

/** Where the requests of a session come from if not from `receive`: the stream of a master. */
export interface RequestSource {
  /** The next whole request, valid until the next call; null if there is none yet. The one before has been executed. */
  next(): Argv | null
}
