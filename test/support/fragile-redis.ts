/**
 * A redis-server that is given damaged payloads. Version 7.0.15 frees parts of a damaged stream twice, when it refuses the
 * payload or replaces the value, so it may then crash, loop, or answer wrongly at any later time. Its answers count only if
 * one that has seen nothing else gives them too.
 */
import { type RedisProcess, startServer } from './redis-process.ts'
import type { CommandArgument, RespClient } from './resp-client.ts'

type Requests = readonly (readonly CommandArgument[])[]

const DEADLINE_MS = 5000
const DIRECTIVES = { 'enable-debug-command': 'yes', 'sanitize-dump-payload': 'yes' }

export class FragileRedis {
  private server: RedisProcess
  private client: RespClient
  private readonly parameters = new Map<string, CommandArgument>()

  private constructor(server: RedisProcess, client: RespClient) {
    this.server = server
    this.client = client
  }

  static async start(): Promise<FragileRedis> {
    const server = await startServer({ server: 'redis', directives: DIRECTIVES })
    return new FragileRedis(server, await server.connect())
  }

  /** CONFIG SET, also for the servers that follow. */
  async set(parameter: string, value: CommandArgument): Promise<void> {
    this.parameters.set(parameter, value)
    await this.ask([['CONFIG', 'SET', parameter, value]])
  }

  /** The raw replies; null: it has not survived, and another one has taken its place. */
  async ask(requests: Requests): Promise<string[] | null> {
    let timer: NodeJS.Timeout | undefined
    try {
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('the server hangs')), DEADLINE_MS)
      })
      const replies = this.client.pipeline(requests)
      replies.catch(() => {})
      return (await Promise.race([replies, tooLate])).map((reply) => reply.toString('latin1'))
    } catch {
      await this.renew()
      return null
    } finally {
      clearTimeout(timer)
    }
  }

  /** As `ask`, of a server that was asked nothing before. */
  async askFresh(requests: Requests): Promise<string[] | null> {
    await this.renew()
    return this.ask(requests)
  }

  async stop(): Promise<void> {
    await this.server.stop('SIGKILL')
    await this.client.close()
  }

  private async renew(): Promise<void> {
    await this.stop()
    this.server = await startServer({ server: 'redis', directives: DIRECTIVES })
    this.client = await this.server.connect()
    for (const [parameter, value] of this.parameters) await this.client.query('CONFIG', 'SET', parameter, value)
  }
}
