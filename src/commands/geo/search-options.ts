/** What a search for places is told: where, how far, and how its results come. */
import type { Argv } from '../../base/argv.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readLong } from '../zset/value.ts'
import { readDouble, readLongLat, readUnit } from './place-arguments.ts'

const ERR_NO_MEMBER = errorReply('ERR could not decode requested zset member')
const ERR_RADIUS = errorReply('ERR need numeric radius')
const ERR_NEGATIVE_RADIUS = errorReply('ERR radius cannot be negative')
const ERR_WIDTH = errorReply('ERR need numeric width')
const ERR_HEIGHT = errorReply('ERR need numeric height')
const ERR_NEGATIVE_BOX = errorReply('ERR height or width cannot be negative')
const ERR_COUNT = errorReply('ERR COUNT must be > 0')
const ERR_ANY = errorReply('ERR the ANY argument requires COUNT argument')

export const UNSORTED = 0
export const NEAREST_FIRST = 1
export const FARTHEST_FIRST = 2

/** A circle or a box around a place. */
export class Shape {
  longitude = 0
  latitude = 0
  isBox = false
  /** In units of so many metres. */
  radius = 0
  width = 0
  height = 0
  metersPerUnit = 0

  /** Reads a radius and its unit from argv[index] on. False: there is a mistake, which has been replied. */
  readRadius(argv: Argv, index: number, reply: ReplyWriter): boolean {
    const radius = readDouble(argv, index, ERR_RADIUS, reply)
    if (Number.isNaN(radius)) return false
    if (radius < 0) {
      reply.error(ERR_NEGATIVE_RADIUS)
      return false
    }
    this.radius = radius
    this.isBox = false
    return this.readUnit(argv, index + 1, reply)
  }

  readBox(argv: Argv, index: number, reply: ReplyWriter): boolean {
    const width = readDouble(argv, index, ERR_WIDTH, reply)
    if (Number.isNaN(width)) return false
    const height = readDouble(argv, index + 1, ERR_HEIGHT, reply)
    if (Number.isNaN(height)) return false
    if (height < 0 || width < 0) {
      reply.error(ERR_NEGATIVE_BOX)
      return false
    }
    this.width = width
    this.height = height
    this.isBox = true
    return this.readUnit(argv, index + 2, reply)
  }

  private readUnit(argv: Argv, index: number, reply: ReplyWriter): boolean {
    this.metersPerUnit = readUnit(argv, index, reply)
    return this.metersPerUnit !== 0
  }
}

/** Which options a command takes. */
export interface SearchForm {
  /** GEOSEARCH and GEOSEARCHSTORE name centre and shape by words. */
  readonly isByWords: boolean
  /** STORE and STOREDIST name a key. */
  readonly mayStore: boolean
  /** STOREDIST is a word of its own: GEOSEARCHSTORE. */
  readonly isStore: boolean
}

export class SearchOptions {
  readonly shape = new Shape()
  withDistance = false
  withHash = false
  withCoordinates = false
  order = UNSORTED
  /** 0: all. */
  count = 0
  isAny = false
  /** Index of the key to store in; 0: the results are replied. */
  storeIndex = 0
  storesDistance = false
  private isFromMember = false
  private isFromPlace = false
  private isByRadius = false
  private isByBox = false

  /**
   * Reads the words from argv[first] on. `locate` takes the member at an index for the centre, and is false if it is not
   * there; null: there is no key, and the arguments are only to be right. False: there is a mistake, which has been replied.
   */
  read(
    argv: Argv,
    first: number,
    form: SearchForm,
    locate: ((index: number) => boolean) | null,
    reply: ReplyWriter,
  ): boolean {
    const refuse = (): false => {
      reply.error(ERR_SYNTAX)
      return false
    }
    for (let i = first; i < argv.count; i++) {
      const left = argv.count - i - 1
      if (argv.is(i, 'WITHDIST')) this.withDistance = true
      else if (argv.is(i, 'WITHHASH')) this.withHash = true
      else if (argv.is(i, 'WITHCOORD')) this.withCoordinates = true
      else if (argv.is(i, 'ANY')) this.isAny = true
      else if (argv.is(i, 'ASC')) this.order = NEAREST_FIRST
      else if (argv.is(i, 'DESC')) this.order = FARTHEST_FIRST
      else if (argv.is(i, 'COUNT') && left > 0) {
        if (!this.readCount(argv, ++i, reply)) return false
      } else if (form.mayStore && left > 0 && (argv.is(i, 'STORE') || argv.is(i, 'STOREDIST'))) {
        this.storesDistance = argv.is(i, 'STOREDIST')
        this.storeIndex = ++i
      } else if (form.isStore && argv.is(i, 'STOREDIST')) this.storesDistance = true
      else if (!form.isByWords) return refuse()
      else if (argv.is(i, 'FROMMEMBER') && left > 0 && !this.isFromPlace) {
        if (locate !== null && !locate(++i)) return this.refuseMember(reply)
        if (locate === null) i++
        this.isFromMember = true
      } else if (argv.is(i, 'FROMLONLAT') && left > 1 && !this.isFromMember) {
        if (!readLongLat(argv, i + 1, this.shape, reply)) return false
        this.isFromPlace = true
        i += 2
      } else if (argv.is(i, 'BYRADIUS') && left > 1 && !this.isByBox) {
        if (!this.shape.readRadius(argv, i + 1, reply)) return false
        this.isByRadius = true
        i += 2
      } else if (argv.is(i, 'BYBOX') && left > 2 && !this.isByRadius) {
        if (!this.shape.readBox(argv, i + 1, reply)) return false
        this.isByBox = true
        i += 3
      } else return refuse()
    }
    return this.check(argv, form, reply)
  }

  refuseMember(reply: ReplyWriter): false {
    reply.error(ERR_NO_MEMBER)
    return false
  }

  private readCount(argv: Argv, index: number, reply: ReplyWriter): boolean {
    this.count = readLong(argv, index, reply, ERR_NOT_INTEGER)
    if (Number.isNaN(this.count)) return false
    if (this.count > 0) return true
    reply.error(ERR_COUNT)
    return false
  }

  private check(argv: Argv, form: SearchForm, reply: ReplyWriter): boolean {
    if (this.storeIndex !== 0 && (this.withDistance || this.withHash || this.withCoordinates)) {
      const what = form.isStore ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS'
      reply.errorText(`ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`)
      return false
    }
    if (form.isByWords && !this.isFromMember && !this.isFromPlace) {
      reply.errorText(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${argv.latin1(0)}`)
      return false
    }
    if (form.isByWords && !this.isByRadius && !this.isByBox) {
      reply.errorText(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${argv.latin1(0)}`)
      return false
    }
    if (this.isAny && this.count === 0) {
      reply.error(ERR_ANY)
      return false
    }
    return true
  }
}
