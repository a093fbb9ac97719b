/**
 * `user default ...` lines: what redis-server writes for its only user until access control is configured. Accepted when
 * the line leaves that user all rights, as it has here; anything less would be a promise that is not kept.
 */
import { sha256Hex } from '../base/sha1.ts'
import { bytesOf } from './config/text.ts'

const FULL_RIGHTS = new Set([
  'on',
  'nopass',
  'sanitize-payload',
  'skip-sanitize-payload',
  '~*',
  'allkeys',
  '&*',
  'allchannels',
  '+@all',
  'allcommands',
  'resetpass',
  'resetkeys',
  'resetchannels',
])
const REFUSAL = 'access control lists are not there yet: use requirepass'

function hashOf(password: string): string {
  const bytes = Buffer.from(bytesOf(password), 'latin1')
  return sha256Hex(bytes, 0, bytes.length)
}

/** Null if the line says no more than the configuration, else why it is refused. `args` are the words after "user". */
export function acceptUserLine(args: readonly string[], requirepass: string): string | null {
  const [name, ...rules] = args
  if (name !== 'default') return REFUSAL
  for (const rule of rules) {
    if (rule.startsWith('#')) {
      if (rule.slice(1).toLowerCase() !== hashOf(requirepass)) return REFUSAL
    } else if (!FULL_RIGHTS.has(rule.toLowerCase())) return REFUSAL
  }
  return null
}

/** The line that CONFIG REWRITE leaves in the file. */
export function defaultUserLine(requirepass: string): string {
  const password = requirepass === '' ? 'nopass' : `#${hashOf(requirepass)}`
  return `user default on ${password} ~* &* +@all`
}
