/**
 * Which Redis this is, and which o7-is. Everything that reports a version (HELLO, INFO, LOLWUT, --version, RDB files,
 * log lines) takes it from here.
 */
import { createHash } from 'node:crypto'

/** Set by the build from package.json. */
declare const __O7_VERSION__: string

/** The Redis whose behaviour is reproduced and whose version clients are told. */
export const REDIS_VERSION = '7.0.15'

/** The version of this package. */
export const O7_VERSION: string = __O7_VERSION__

/** redis_git_sha1 and redis_git_dirty: a release has neither. */
export const REDIS_GIT_SHA1 = '00000000'
export const REDIS_GIT_DIRTY = '0'

/** redis_build_id: tells builds apart; a 64-bit number in hexadecimal. */
export const REDIS_BUILD_ID: string = createHash('sha1')
  .update(`o7-is ${O7_VERSION}`)
  .digest('hex')
  .slice(0, 16)
  .replace(/^0+/, '')

/** mem_allocator: data lives in an arena of our own. */
export const ALLOCATOR = `o7-${O7_VERSION}`
