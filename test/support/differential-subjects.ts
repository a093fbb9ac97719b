/** The servers that a differential run compares: real redis-server, ours in this process, ours as the built program. */
import { createServer, type EmbeddedServer } from '../../src/index.ts'
import type { Subject } from './differential.ts'
import { ENCODING_DEFAULTS } from './generator-config.ts'
import { type RedisProcess, type ServerKind, startServer } from './redis-process.ts'
import { RespClient } from './resp-client.ts'

/** Small, so that requests reach the limit on the length of strings without making long ones. */
const STRING_BYTES_MAX = 1024 * 1024

/** A process: redis-server, or bin/o7-redis as the build left it. */
export class ProcessSubject implements Subject {
  readonly name: string
  private readonly kind: ServerKind
  private process: RedisProcess | null = null

  constructor(kind: ServerKind) {
    this.kind = kind
    this.name = kind === 'o7' ? 'o7-redis' : 'redis-server'
  }

  async connect(): Promise<RespClient> {
    return (await this.start()).connect()
  }

  async reset(): Promise<void> {
    const process = await this.start()
    const client = await process.connect()
    await client.call('FLUSHALL')
    await client.call('CONFIG', 'SET', ...Object.entries(ENCODING_DEFAULTS).flat())
    await client.close()
  }

  async stop(): Promise<void> {
    await this.process?.stop()
  }

  private async start(): Promise<RedisProcess> {
    if (this.process === null || this.process.status !== null) {
      this.process = await startServer({
        server: this.kind,
        directives: { 'enable-debug-command': 'yes', 'proto-max-bulk-len': STRING_BYTES_MAX },
      })
    }
    return this.process
  }
}

/** Our server in this process, over TCP; a new one for each round. */
export class EmbeddedSubject implements Subject {
  readonly name = 'o7-is'
  private server: EmbeddedServer | null = null

  async connect(): Promise<RespClient> {
    if (this.server === null) await this.reset()
    return RespClient.connect({ port: this.server!.port })
  }

  async reset(): Promise<void> {
    await this.server?.close()
    this.server = await createServer({
      port: 0,
      enableDebugCommand: 'yes',
      protoMaxBulkLen: STRING_BYTES_MAX,
    })
  }

  async stop(): Promise<void> {
    await this.server?.close()
  }
}
