/**
 * PUBLISH channel message, SPUBLISH shardchannel message. Reply: how many clients got it on this server.
 * Propagated verbatim to replicas, whose clients listen too; never to the append-only file.
 * Source: Redis command reference, PUBLISH (since 2.0.0), SPUBLISH (since 7.0.0).
 */
import { defineCommand, KEY_NOT_KEY } from '../../engine/command.ts'
import { FAST, LOADING, MAY_REPLICATE, PUBSUB, SENTINEL, STALE } from '../../engine/flags.ts'

const FLAGS = PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE

export const publish = defineCommand({
  name: 'PUBLISH',
  arity: 3,
  flags: FLAGS | SENTINEL,
  doc: {
    group: 'pubsub',
    since: '2.0.0',
    complexity: 'O(N+M) for N clients that listen to the channel and M patterns that anybody listens to',
    summary: 'Sends a message to all who listen to a channel.',
  },
  run(ctx, argv, reply) {
    const { engine } = ctx
    const receivers = engine.pubsub.publish(engine, argv.view(1), argv.view(2))
    ctx.forceReplication()
    reply.integer(receivers)
  },
})

export const spublish = defineCommand({
  name: 'SPUBLISH',
  arity: 3,
  flags: FLAGS,
  keys: [
    {
      flags: KEY_NOT_KEY,
      begin: { kind: 'index', index: 1 },
      find: { kind: 'range', lastKey: 0, step: 1, limit: 0 },
    },
  ],
  doc: {
    group: 'pubsub',
    since: '7.0.0',
    complexity: 'O(N) for N clients that listen to the shard channel',
    summary: 'Sends a message to all who listen to a shard channel.',
  },
  run(ctx, argv, reply) {
    const { engine } = ctx
    const receivers = engine.pubsub.publishToShard(engine, argv.view(1), argv.view(2))
    ctx.forceReplication()
    reply.integer(receivers)
  },
})
