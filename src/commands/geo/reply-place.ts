/** How coordinates are told: with 17 digits behind the point, as far as they are not zero. */
import { fixedText } from '../../base/double-text.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const DECIMALS = 17

export function replyCoordinates(longitude: number, latitude: number, reply: ReplyWriter): void {
  reply.array(2)
  reply.doubleFromText(coordinateText(longitude))
  reply.doubleFromText(coordinateText(latitude))
}

function coordinateText(value: number): string {
  const text = fixedText(value, DECIMALS)
  let end = text.length
  while (text[end - 1] === '0') end--
  if (text[end - 1] === '.') end--
  const kept = text.slice(0, end)
  return kept === '-0' ? '0' : kept
}
