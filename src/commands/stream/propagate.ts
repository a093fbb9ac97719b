/**
 * What reading with a group and claiming do to the group, as commands that have the same result anywhere: XCLAIM with all
 * that it is to set, XGROUP SETID where nothing becomes pending, XGROUP CREATECONSUMER where nothing else tells of it.
 */

import type { Session } from '../../engine/session.ts'
import type { StreamType } from '../../keyspace/types/stream.ts'
import type { Ref } from '../../memory/arena.ts'
import { StreamId } from '../../structures/stream-id.ts'

/** A group of a stream, with the names that commands have for both. */
export interface NamedGroup {
  readonly streams: StreamType
  readonly root: Ref
  readonly group: Ref
  readonly key: Uint8Array
  readonly name: Uint8Array
}

/** XCLAIM key group consumer 0 id TIME ms RETRYCOUNT n FORCE JUSTID LASTID id */
export function propagateClaim(ctx: Session, named: NamedGroup, id: string | Uint8Array, pending: Ref): void {
  if (!ctx.engine.effects.isActive) return
  const { groups } = named.streams
  ctx.addEffect([
    'XCLAIM',
    named.key,
    named.name,
    nameOfConsumer(named, groups.consumerOf(pending)),
    '0',
    id,
    'TIME',
    String(groups.exactDelivered(pending)),
    'RETRYCOUNT',
    String(groups.deliveries(pending)),
    'FORCE',
    'JUSTID',
    'LASTID',
    lastIdText(named),
  ])
}

/** XGROUP SETID key group id ENTRIESREAD n */
export function propagateLastId(ctx: Session, named: NamedGroup): void {
  if (!ctx.engine.effects.isActive) return
  const read = String(named.streams.groups.entriesRead(named.group))
  ctx.addEffect(['XGROUP', 'SETID', named.key, named.name, lastIdText(named), 'ENTRIESREAD', read])
}

/** XGROUP CREATECONSUMER key group consumer */
export function propagateConsumer(ctx: Session, named: NamedGroup, consumer: Ref): void {
  if (!ctx.engine.effects.isActive) return
  ctx.addEffect(['XGROUP', 'CREATECONSUMER', named.key, named.name, nameOfConsumer(named, consumer)])
}

function nameOfConsumer({ streams }: NamedGroup, consumer: Ref): Uint8Array {
  const { consumerNames } = streams.groups
  const at = consumerNames.nameAt(consumer)
  return streams.bytesOf(consumer).slice(at, at + consumerNames.nameLength(consumer))
}

function lastIdText({ streams, group }: NamedGroup): string {
  const id = new StreamId()
  streams.groups.readLastId(group, id)
  return id.toString()
}
