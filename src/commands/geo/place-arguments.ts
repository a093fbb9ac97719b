/** Places, units and distances among the arguments of geo commands, with their errors. */
import type { Argv } from '../../base/argv.ts'
import { fixedText, parseDouble } from '../../base/double-text.ts'
import { ERR_NOT_FLOAT, type ErrorReply, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { LATITUDE_MAX, LONGITUDE_MAX } from './geohash.ts'

const ERR_UNIT = errorReply('ERR unsupported unit provided. please use M, KM, FT, MI')

export function readDouble(argv: Argv, index: number, error: ErrorReply, reply: ReplyWriter): number {
  const start = argv.starts[index]!
  const value = parseDouble(argv.bytes, start, start + argv.lengths[index]!)
  if (Number.isNaN(value)) reply.error(error)
  return value
}

export interface LongLat {
  longitude: number
  latitude: number
}

/** Longitude and latitude from argv[index] on. False: there is a mistake, which has been replied. */
export function readLongLat(argv: Argv, index: number, into: LongLat, reply: ReplyWriter): boolean {
  const longitude = readDouble(argv, index, ERR_NOT_FLOAT, reply)
  if (Number.isNaN(longitude)) return false
  const latitude = readDouble(argv, index + 1, ERR_NOT_FLOAT, reply)
  if (Number.isNaN(latitude)) return false
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    reply.errorText(`ERR invalid longitude,latitude pair ${fixedText(longitude, 6)},${fixedText(latitude, 6)}`)
    return false
  }
  into.longitude = longitude
  into.latitude = latitude
  return true
}

/** How many metres a unit has; 0: there is no such unit, which has been replied. */
export function readUnit(argv: Argv, index: number, reply: ReplyWriter): number {
  if (argv.is(index, 'M')) return 1
  if (argv.is(index, 'KM')) return 1000
  if (argv.is(index, 'FT')) return 0.3048
  if (argv.is(index, 'MI')) return 1609.34
  reply.error(ERR_UNIT)
  return 0
}
