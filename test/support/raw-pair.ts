/**
 * A real redis-server and ours, talked to in raw bytes.
 */
import { expect } from 'vitest'
import { BARRIER_COMMAND, type Outcome, RawExchange } from './raw-exchange.ts'
import { type DirectiveValue, type RedisProcess, startServer } from './redis-process.ts'

export interface Side {
  readonly server: RedisProcess
  readonly exchange: RawExchange
}

export class RawPair {
  readonly redis: Side
  readonly o7: Side

  private constructor(redis: Side, o7: Side) {
    this.redis = redis
    this.o7 = o7
  }

  /** `prologue`: what a connection must send before it may do anything (AUTH). */
  static async start(directives: Readonly<Record<string, DirectiveValue>> = {}, prologue = ''): Promise<RawPair> {
    const [redis, o7] = await Promise.all(
      ['redis', 'o7'].map(async (kind) => {
        const server = await startServer({ server: kind, directives })
        return { server, exchange: await RawExchange.start(server, prologue) }
      }),
    )
    return new RawPair(redis!, o7!)
  }

  /** Sends the pieces to both, on a connection of their own, and returns what came back, if it is the same. */
  async expectSame(
    pieces: readonly (string | Uint8Array)[],
    comparable: (received: string) => string = withoutIdentity,
  ): Promise<string> {
    const [redis, o7] = await Promise.all([this.redis.exchange.run(pieces), this.o7.exchange.run(pieces)])
    const shown = (outcome: Outcome): Outcome => ({ ...outcome, received: comparable(outcome.received) })
    expect(shown(o7)).toEqual(shown(redis))
    return o7.received
  }

  async stop(): Promise<void> {
    for (const { exchange, server } of [this.redis, this.o7]) {
      exchange.close()
      await server.stop()
    }
  }
}

/** Client ids, addresses and times differ, and how often the barrier shows to monitors. */
export function withoutIdentity(received: string): string {
  return received
    .replace(/(\$2\r\nid\r\n:)\d+/g, '$1N')
    .replace(/\+\d+\.\d+ \[(\d+) [\d.]+:\d+\]/g, '+TIME [$1 ADDR]')
    .replaceAll(`+TIME [0 ADDR] "${BARRIER_COMMAND}"\r\n`, '')
}
