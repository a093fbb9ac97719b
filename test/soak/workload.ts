/**
 * The mixed load of the soak: requests of every command that a client may send, drawn from a seed. A few keys are shared
 * with the generators of the comparison with redis-server, many more are the soak's own, most of them short-lived.
 */
import type { Random } from '../../src/base/random.ts'
import { CommandDraw, type CommandGenerator, type Draw } from '../support/generator.ts'
import { ALL_GENERATORS } from '../support/generators.ts'

const KEYS = 20_000
const CHANNELS = ['news', 'weather', 'orders', '__keyevent@0__:expired', '__keyspace@0__:k:7']
const PATTERNS = ['n*', '*', '__key*', 'o?ders']

const key = (draw: Draw) => `k:${draw.below(KEYS)}`
const channel = (draw: Draw) => draw.pick(CHANNELS)

/** Milliseconds to live: from moments to half an hour, as likely at each order of magnitude. */
function lifetimeMs(draw: Draw): number {
  return Math.floor(10 ** (0.5 + draw.random.float() * 5.75))
}

/** Long values are pieces of this: to draw each letter would take most of the soak's time. */
const TEXT_LENGTH_MAX = 60_000
const TEXT = Array.from({ length: TEXT_LENGTH_MAX }, (_, i) =>
  String.fromCharCode(32 + ((i * i + (i >> 7)) % 90)),
).join('')

function value(draw: Draw): string {
  const kind = draw.below(100)
  if (kind < 40) return draw.value()
  return TEXT.slice(0, draw.below(kind < 98 ? 400 : TEXT_LENGTH_MAX))
}

const OWN: readonly CommandGenerator[] = [
  { name: 'SET', weight: 700, words: (draw) => ['SET', key(draw), value(draw), 'PX', String(lifetimeMs(draw))] },
  { name: 'SET', weight: 60, words: (draw) => ['SET', key(draw), value(draw), ...draw.maybe(0.3, () => ['KEEPTTL'])] },
  { name: 'GET', weight: 500, words: (draw) => ['GET', key(draw)] },
  { name: 'GETEX', weight: 60, words: (draw) => ['GETEX', key(draw), 'PX', String(lifetimeMs(draw))] },
  { name: 'DEL', weight: 120, words: (draw) => ['DEL', ...draw.several(1, 4, () => key(draw))] },
  { name: 'INCR', weight: 100, words: (draw) => ['INCR', `n:${draw.below(500)}`] },
  { name: 'APPEND', weight: 60, words: (draw) => ['APPEND', key(draw), value(draw)] },
  { name: 'SETRANGE', weight: 20, words: (draw) => ['SETRANGE', key(draw), String(draw.below(3000)), draw.text(9)] },
  { name: 'SETBIT', weight: 20, words: (draw) => ['SETBIT', key(draw), String(draw.below(30_000)), '1'] },
  {
    name: 'MSET',
    weight: 40,
    words: (draw) => ['MSET', ...draw.several(1, 6, () => key(draw)).flatMap((k) => [k, value(draw)])],
  },
  { name: 'MGET', weight: 40, words: (draw) => ['MGET', ...draw.several(1, 30, () => key(draw))] },
  { name: 'PEXPIRE', weight: 80, words: (draw) => ['PEXPIRE', key(draw), String(lifetimeMs(draw))] },
  { name: 'PERSIST', weight: 10, words: (draw) => ['PERSIST', key(draw)] },
  { name: 'RENAME', weight: 20, words: (draw) => ['RENAME', key(draw), key(draw)] },
  { name: 'COPY', weight: 20, words: (draw) => ['COPY', key(draw), key(draw), 'REPLACE'] },
  { name: 'MOVE', weight: 10, words: (draw) => ['MOVE', key(draw), String(draw.below(4))] },
  {
    name: 'SCAN',
    weight: 40,
    words: (draw) => ['SCAN', String(draw.below(1 << 16)), 'COUNT', String(draw.between(1, 200))],
  },
  { name: 'RANDOMKEY', weight: 10, words: () => ['RANDOMKEY'] },
  { name: 'MULTI', weight: 30, words: () => ['MULTI'] },
  { name: 'EXEC', weight: 60, words: () => ['EXEC'] },
  { name: 'WATCH', weight: 30, words: (draw) => ['WATCH', ...draw.several(1, 3, () => key(draw))] },
  { name: 'PUBLISH', weight: 60, words: (draw) => ['PUBLISH', channel(draw), TEXT.slice(0, draw.below(300))] },
  { name: 'SPUBLISH', weight: 10, words: (draw) => ['SPUBLISH', channel(draw), draw.text(20)] },
  { name: 'SUBSCRIBE', weight: 8, words: (draw) => ['SUBSCRIBE', ...draw.several(1, 3, () => channel(draw))] },
  { name: 'PSUBSCRIBE', weight: 5, words: (draw) => ['PSUBSCRIBE', draw.pick(PATTERNS)] },
  { name: 'SSUBSCRIBE', weight: 5, words: (draw) => ['SSUBSCRIBE', channel(draw)] },
  { name: 'UNSUBSCRIBE', weight: 12, words: (draw) => ['UNSUBSCRIBE', ...draw.maybe(0.5, () => [channel(draw)])] },
  { name: 'PUNSUBSCRIBE', weight: 8, words: () => ['PUNSUBSCRIBE'] },
  { name: 'SUNSUBSCRIBE', weight: 8, words: () => ['SUNSUBSCRIBE'] },
  { name: 'PUBSUB', weight: 5, words: (draw) => ['PUBSUB', draw.pick(['CHANNELS', 'NUMPAT', 'SHARDCHANNELS'])] },
  { name: 'SELECT', weight: 20, words: (draw) => ['SELECT', String(draw.below(4))] },
  { name: 'HELLO', weight: 10, words: (draw) => ['HELLO', draw.pick(['2', '3'])] },
  { name: 'RESET', weight: 5, words: () => ['RESET'] },
  { name: 'WAIT', weight: 4, words: (draw) => ['WAIT', '1', String(draw.between(1, 500))] },
  {
    name: 'CLIENT',
    weight: 40,
    words: (draw) => [
      'CLIENT',
      ...draw.pick<readonly string[]>([
        ['ID'],
        ['INFO'],
        ['LIST'],
        ['GETNAME'],
        ['SETNAME', `name-${draw.below(50)}`],
        ['NO-EVICT', 'ON'],
        ['REPLY', draw.pick(['ON', 'OFF', 'SKIP'])],
        ['PAUSE', String(draw.between(1, 300)), draw.pick(['WRITE', 'ALL'])],
        ['UNPAUSE'],
        // Not the first two: these are the soak's own.
        ['KILL', 'ID', String(draw.between(3, 2000))],
      ]),
    ],
  },
  {
    name: 'administration',
    weight: 40,
    words: (draw) => [
      ...draw.pick<readonly string[]>([
        ['INFO', 'everything'],
        ['DBSIZE'],
        ['TIME'],
        ['LASTSAVE'],
        ['COMMAND', 'COUNT'],
        ['COMMAND', 'DOCS', 'set'],
        ['CONFIG', 'GET', '*max*'],
        ['CONFIG', 'SET', 'slowlog-log-slower-than', draw.pick(['-1', '0', '10000'])],
        ['CONFIG', 'SET', 'latency-tracking', draw.pick(['yes', 'no'])],
        ['CONFIG', 'SET', 'lazyfree-lazy-user-flush', draw.pick(['yes', 'no'])],
        ['CONFIG', 'SET', 'maxmemory-policy', draw.pick(['noeviction', 'allkeys-lfu'])],
        ['CONFIG', 'RESETSTAT'],
        ['MEMORY', 'USAGE', `k:${draw.below(KEYS)}`],
        ['MEMORY', 'STATS'],
        ['MEMORY', 'DOCTOR'],
        ['MEMORY', 'PURGE'],
        ['SLOWLOG', 'GET'],
        ['SLOWLOG', 'RESET'],
        ['LATENCY', 'HISTOGRAM'],
        ['LATENCY', 'RESET'],
        ['LOLWUT'],
        ['OBJECT', 'FREQ', `k:${draw.below(KEYS)}`],
        draw.chance(0.1) ? ['MONITOR'] : ['QUIT'],
      ]),
    ],
  },
]

/** These would leave nothing to look after: the soak empties databases itself, now and then. */
const EMPTYING = new Set(['FLUSHALL', 'FLUSHDB', 'SWAPDB'])

/** Both kinds together. */
export class Workload {
  readonly draw: Draw
  private readonly shared: CommandDraw
  private readonly own: CommandDraw

  constructor(random: Random) {
    this.shared = new CommandDraw(
      ALL_GENERATORS.filter(({ name }) => !EMPTYING.has(name)),
      random,
    )
    this.own = new CommandDraw(OWN, random)
    this.draw = this.own.draw
  }

  request(): readonly string[] {
    for (;;) {
      const { words } = (this.draw.chance(0.3) ? this.shared : this.own).next()
      if (!makesHugeValue(words)) return words
    }
  }
}

/** A single value of hundreds of megabytes would hide everything else, and take long to save. */
function makesHugeValue(words: readonly string[]): boolean {
  return (
    /^(?:setrange|setbit|bitfield)$/i.test(words[0]!) && words.some((word) => Number.parseInt(word, 10) > 1_000_000)
  )
}
