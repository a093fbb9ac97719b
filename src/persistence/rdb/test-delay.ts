/**
 * The directives rdb-key-save-delay and key-load-delay, which make saving and loading slow for tests: microseconds per
 * key, or below 0 one microsecond for one key in that many.
 */
import type { Random } from '../../base/random.ts'

export function testDelayUs(directiveUs: number, random: Random): number {
  if (directiveUs >= 0) return directiveUs
  return random.below(-directiveUs) === 0 ? 1 : 0
}
