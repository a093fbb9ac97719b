/** The pub/sub commands. */
import type { Command } from '../../engine/command.ts'
import { publish, spublish } from './publish.ts'
import { pubsub } from './pubsub.ts'
import { psubscribe, punsubscribe, ssubscribe, subscribe, sunsubscribe, unsubscribe } from './subscribe.ts'

export const pubsubCommands: readonly Command[] = [
  psubscribe,
  publish,
  pubsub,
  punsubscribe,
  spublish,
  ssubscribe,
  subscribe,
  sunsubscribe,
  unsubscribe,
]
