/**
 * Assertions for our own bugs, never for clients' mistakes. What fails here stops the server instance that was
 * executing (see engine/engine.ts) and rejects its callers; it never ends the process.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
