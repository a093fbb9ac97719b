/**
 * Several clients of a server in turns, as one text: "1> WATCH k / 2> SET k v / 1> MULTI". Each line is sent when the
 * server has dealt with the one before; what every client received in all is compared.
 */
import { expect } from 'vitest'
import type { RawConnection } from './raw-exchange.ts'
import { type RawPair, type Side, withoutIdentity } from './raw-pair.ts'

export interface Transcript {
  readonly [client: string]: { readonly received: string; readonly closed: boolean }
}

/** Lines are separated by " / "; "WAIT-MS n" lets time pass. */
export async function playDialogue(side: Side, dialogue: string): Promise<Transcript> {
  const clients = new Map<string, RawConnection>()
  try {
    for (const line of dialogue.split(' / ').map((text) => text.trim())) {
      const wait = /^WAIT-MS (\d+)$/.exec(line)
      if (wait !== null) {
        await new Promise((resolve) => setTimeout(resolve, Number(wait[1])))
        continue
      }
      const [, name, commands] = /^(\w+)> (.*)$/.exec(line)!
      let client = clients.get(name!)
      if (client === undefined) clients.set(name!, (client = await side.exchange.open()))
      await client.send(
        commands!
          .split(' | ')
          .map((command) => `${command}\r\n`)
          .join(''),
      )
      await side.exchange.barrier()
    }
    return Object.fromEntries(
      [...clients].map(([name, { outcome }]) => [name, { ...outcome, received: withoutIdentity(outcome.received) }]),
    )
  } finally {
    for (const client of clients.values()) client.close()
    await side.exchange.barrier()
  }
}

/** Both servers must say the same to every client. */
export async function expectSameDialogue(pair: RawPair, dialogue: string): Promise<Transcript> {
  const [redis, o7] = await Promise.all([playDialogue(pair.redis, dialogue), playDialogue(pair.o7, dialogue)])
  expect(o7).toEqual(redis)
  return o7
}
