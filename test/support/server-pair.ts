/**
 * A real redis-server and ours, with the same directives, asked the same things.
 */
import { expect } from 'vitest'
import { type DirectiveValue, type RedisProcess, startServer } from './redis-process.ts'
import type { CommandArgument, RespClient } from './resp-client.ts'

export class ServerPair {
  readonly redis: RedisProcess
  readonly o7: RedisProcess
  redisClient: RespClient
  o7Client: RespClient

  private constructor(redis: RedisProcess, o7: RedisProcess, redisClient: RespClient, o7Client: RespClient) {
    this.redis = redis
    this.o7 = o7
    this.redisClient = redisClient
    this.o7Client = o7Client
  }

  static async start(directives: Readonly<Record<string, DirectiveValue>> = {}): Promise<ServerPair> {
    const [redis, o7] = await Promise.all([
      startServer({ server: 'redis', directives }),
      startServer({ server: 'o7', directives }),
    ])
    return new ServerPair(redis, o7, await redis.connect(), await o7.connect())
  }

  /** Sends a command to both; returns Redis's raw reply and ours, one character per byte. */
  async ask(...args: readonly CommandArgument[]): Promise<readonly [redis: string, o7: string]> {
    const replies = await Promise.all([this.redisClient.call(...args), this.o7Client.call(...args)])
    return [replies[0].toString('latin1'), replies[1].toString('latin1')]
  }

  /** Both must reply the same, after `comparable` has taken out what may differ. */
  async expectSame(
    args: readonly CommandArgument[],
    comparable: (reply: string) => unknown = (reply) => reply,
  ): Promise<string> {
    const [redis, o7] = await this.ask(...args)
    expect(comparable(o7), `reply to ${args.join(' ')}`).toEqual(comparable(redis))
    return o7
  }

  async stop(): Promise<void> {
    await Promise.all([this.redisClient.close(), this.o7Client.close()])
    await Promise.all([this.redis.stop(), this.o7.stop()])
  }
}
