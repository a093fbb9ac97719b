/**
 * Names and passwords, for AUTH and HELLO. There is one user, "default", with requirepass as its password; while that
 * is empty whatever is given lets in.
 */
import type { Argv } from '../../base/argv.ts'
import type { Session } from '../../engine/session.ts'
import { errorReply } from '../../resp/errors.ts'

export const DEFAULT_USER = 'default'
export const ERR_WRONG_PASSWORD = errorReply('WRONGPASS invalid username-password pair or user is disabled.')

/** Authenticates the client with the password at argv[index]. Returns false if that is wrong. */
export function authenticateDefault(ctx: Session, argv: Argv, index: number): boolean {
  const { password } = ctx.engine.settings
  if (password !== '' && !isPassword(argv, index, password)) return false
  ctx.engine.setAuthenticated(ctx, true)
  ctx.user = DEFAULT_USER
  return true
}

/** As `authenticateDefault`, with the user's name at argv[index] and the password behind it. */
export function authenticateNamed(ctx: Session, argv: Argv, index: number): boolean {
  return argv.latin1(index) === DEFAULT_USER && authenticateDefault(ctx, argv, index + 1)
}

/** Takes as long for a wrong password as for the right one. `password` has one character per byte. */
function isPassword(argv: Argv, index: number, password: string): boolean {
  const given = argv.view(index)
  let difference = given.length ^ password.length
  for (let i = 0; i < given.length; i++) difference |= given[i]! ^ password.charCodeAt(i % password.length)
  return difference === 0
}
