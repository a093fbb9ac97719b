/** Global set-up of the tests: makes real Redis available, or says what is skipped; with CI=true its lack is a failure. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export default function setup(): void {
  const script = fileURLToPath(new URL('../../scripts/provide-redis.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' })
  if (status !== 0) throw new Error('real Redis could not be provided')
}
