/**
 * Sends the same random commands to two servers and compares their raw replies, and at the end of each round their data.
 *
 * A run is cut into rounds. A round begins with empty servers and new connections, is drawn from a seed of its own, and
 * is replayed by that seed; within it, batches of pipelined requests go to one of a few connections at a time, so that
 * both servers execute everything in the same order. On a difference the history is cut down to what still shows it.
 */
import { reprText } from '../../src/base/quoting.ts'
import { Random } from '../../src/base/random.ts'
import { CommandDraw, type CommandGenerator, type DrawnCommand, KEYS, type Words } from './generator.ts'
import { type Comparison, elementsOf, exact, unorderedDump } from './generator-compare.ts'
import { decodeReply, encodeCommand, type RespClient, RespError, showReply } from './resp-client.ts'

/** A server as the run needs it. */
export interface Subject {
  readonly name: string
  connect(): Promise<RespClient>
  /** Gives a server without data: by any means, a new one if need be. */
  reset(): Promise<void>
  stop(): Promise<void>
}

export interface DifferentialOptions {
  readonly ours: Subject
  readonly theirs: Subject
  readonly generators: readonly CommandGenerator[]
  /** Commands that both servers have: what the data are asked by. */
  readonly commands: ReadonlySet<string>
  readonly protocol: 2 | 3
  readonly seed: number
  readonly count: number
  /** How long a difference may be cut down. */
  readonly shrinkMs?: number
  readonly onRound?: (round: RoundReport) => void
}

export interface RoundReport {
  readonly seed: number
  readonly commands: number
}

export interface DifferentialResult {
  readonly commands: number
  readonly rounds: number
  /** Requests of each command. */
  readonly counts: ReadonlyMap<string, number>
}

export const ROUND_COMMANDS = 10_000
/** Databases that generators use. */
export const DATABASES = 3
const CONNECTIONS = 3
const BATCH_MAX = 40
const REPLY_TIMEOUT_MS = 20_000
const PLUS = 0x2b
/** Times to live seen by the two servers may differ by this. */
const TTL_TOLERANCE_MS = 10_000
const SHOWN_CHARACTERS_MAX = 500
const SHRINK_MS = 20_000

interface Step extends DrawnCommand {
  readonly connection: number
  /** Steps that follow each other with the same number are pipelined. */
  readonly batch: number
  readonly inline: boolean
}

interface Difference {
  /** Index of the step, or the number of steps when the data differ at the end. */
  readonly index: number
  readonly problem: string
  readonly ours: string
  readonly theirs: string
}

/** Thrown on a difference. The message has everything needed to see it again. */
export class DifferenceError extends Error {
  override readonly name = 'DifferenceError'
}

/** Sends `count` commands, and throws a DifferenceError if any reply differs. */
export async function runDifferential(options: DifferentialOptions): Promise<DifferentialResult> {
  const counts = new Map<string, number>()
  let commands = 0
  let rounds = 0
  while (commands < options.count) {
    const seed = options.seed + rounds
    const steps = drawSteps(options, seed, Math.min(ROUND_COMMANDS, options.count - commands))
    const difference = await play(options, steps)
    if (difference !== null) throw await explain(options, seed, steps, difference)
    for (const { words } of steps) {
      const name = words[0]!.toUpperCase()
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    commands += steps.length
    rounds++
    options.onRound?.({ seed, commands: steps.length })
  }
  return { commands, rounds, counts }
}

/** What a run asks the data by, beside the commands that generators name. */
export const PROBES: readonly string[] = ['debug', 'select', 'scan', 'keys', 'type', 'object', 'pttl', 'dump']

/** Names of the commands that a server has. */
export async function commandNames(subject: Subject): Promise<Set<string>> {
  const client = await subject.connect()
  const names = await client.query('COMMAND', 'LIST')
  await client.close()
  if (!Array.isArray(names)) throw new Error(`COMMAND LIST of ${subject.name} gave no list`)
  return new Set(names as string[])
}

/** Whether a generator's requests make sense to a server with these commands. */
export function isAvailable({ name, isUnknown }: CommandGenerator, commands: ReadonlySet<string>): boolean {
  return isUnknown === true || commands.has(name.toLowerCase())
}

function drawSteps({ generators }: DifferentialOptions, seed: number, count: number): Step[] {
  const random = Random.fromSeed(seed)
  const commands = new CommandDraw(generators, random)
  const { draw } = commands
  const steps: Step[] = []
  for (let batch = 0; steps.length < count; batch++) {
    const connection = draw.chance(0.7) ? 0 : draw.below(CONNECTIONS)
    const size = draw.chance(0.3) ? 1 : draw.between(2, BATCH_MAX)
    for (let i = 0; i < size && steps.length < count; i++) {
      const { words, compare } = commands.next()
      const inline = draw.chance(0.03) && words.every((word) => /^[!#-&(-~]+$/.test(word)) && words[0]![0] !== '*'
      steps.push({ connection, batch, words, compare, inline })
    }
  }
  return steps
}

// Playing

/** The connections of one subject in a round. */
interface Side {
  readonly clients: readonly RespClient[]
  /** Asks about the data; never in a transaction. */
  readonly probe: RespClient
}

/** Executes the steps on both servers, empty before. Returns the first difference, or null. */
async function play(options: DifferentialOptions, steps: readonly Step[]): Promise<Difference | null> {
  const sides = await Promise.all([open(options.ours, options.protocol), open(options.theirs, options.protocol)])
  try {
    return (await playSteps(sides, steps)) ?? (await compareData(sides, options.commands, steps.length))
  } finally {
    for (const side of sides) for (const client of [...side.clients, side.probe]) await client.close()
  }
}

async function open(subject: Subject, protocol: 2 | 3): Promise<Side> {
  await subject.reset()
  const clients: RespClient[] = []
  for (let i = 0; i <= CONNECTIONS; i++) {
    const client = await subject.connect()
    if (protocol === 3) await client.call('HELLO', 3)
    clients.push(client)
  }
  return { clients: clients.slice(0, CONNECTIONS), probe: clients[CONNECTIONS]! }
}

async function playSteps(sides: readonly Side[], steps: readonly Step[]): Promise<Difference | null> {
  const judges = Array.from({ length: CONNECTIONS }, () => new ReplyJudge())
  for (let start = 0; start < steps.length; ) {
    const { connection, batch } = steps[start]!
    let end = start + 1
    while (end < steps.length && steps[end]!.batch === batch) end++
    const bytes = Buffer.concat(steps.slice(start, end).map(encodeStep))
    const [ours, theirs] = await Promise.all(
      sides.map((side) => exchange(side.clients[connection]!, bytes, end - start, batch)),
    )
    for (let i = start; i < end; i++) {
      const problem = judges[connection]!.judge(steps[i]!, ours![i - start], theirs![i - start])
      if (problem === null) continue
      return { index: i, problem, ours: shown(ours![i - start]), theirs: shown(theirs![i - start]) }
    }
    start = end
  }
  return null
}

function encodeStep({ words, inline }: Step): Buffer {
  if (inline) return Buffer.from(`${words.join(' ')}\r\n`, 'latin1')
  return encodeCommand(words.map((word) => Buffer.from(word, 'latin1')))
}

/** Sends a batch, now and then in pieces, and reads its replies: as many as come. */
async function exchange(client: RespClient, bytes: Buffer, count: number, batch: number): Promise<Buffer[]> {
  if (batch % 16 === 0) {
    const middle = (batch * 7919) % bytes.length
    client.write(bytes.subarray(0, middle))
    await new Promise((done) => setImmediate(done))
    client.write(bytes.subarray(middle))
  } else client.write(bytes)
  const replies: Buffer[] = []
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<null>((done) => {
    timer = setTimeout(() => done(null), REPLY_TIMEOUT_MS)
  })
  try {
    for (let i = 0; i < count; i++) {
      const reply = await Promise.race([client.read(), timeout])
      if (reply === null) break
      replies.push(reply)
    }
  } catch {
    // The connection ended; the replies that are missing say so.
  }
  clearTimeout(timer)
  return replies
}

/** Compares the replies of one connection to its requests in turn: of EXEC each element as its own request asks. */
export class ReplyJudge {
  private readonly queue: Comparison[] = []

  /** What is wrong with the replies, or null. */
  judge({ words, compare }: DrawnCommand, ours: Buffer | undefined, theirs: Buffer | undefined): string | null {
    if (ours === undefined || theirs === undefined) {
      return ours === theirs ? null : `${ours === undefined ? 'ours' : 'theirs'} gave no reply`
    }
    const name = words[0]!.toUpperCase()
    if (theirs.toString('latin1') === '+QUEUED\r\n') this.queue.push(compare)
    else if (name === 'MULTI' && theirs[0] === PLUS) this.queue.length = 0
    else if (name === 'EXEC') return this.judgeExec(ours, theirs)
    else return compare(ours, theirs)
    return exact(ours, theirs)
  }

  private judgeExec(ours: Buffer, theirs: Buffer): string | null {
    const { queue } = this
    const [one, other] = [elementsOf(ours), elementsOf(theirs)]
    if (one === null || other === null || one.length !== other.length || one.length !== queue.length) {
      return exact(ours, theirs)
    }
    for (let i = 0; i < one.length; i++) {
      const problem = queue[i]!(one[i]!, other[i]!)
      if (problem !== null) return `element ${i}: ${problem}: ${shown(one[i])}, ${shown(other[i])}`
    }
    return null
  }
}

function shown(reply: Buffer | undefined): string {
  return reply === undefined ? '(nothing)' : showReply(reply, SHOWN_CHARACTERS_MAX)
}

// Data

/** Compares all databases: names, types, encodings, times to live, values, what SCAN finds, and the digest. */
async function compareData(
  sides: readonly Side[],
  commands: ReadonlySet<string>,
  index: number,
): Promise<Difference | null> {
  const found = await Promise.all(sides.map((side) => describeData(side.probe, commands)))
  const [ours, theirs] = found as [Map<string, string>, Map<string, string>]
  for (const [subject, theirText] of theirs) {
    const ourText = ours.get(subject)
    if (ourText === theirText || isNearTtl(ourText, theirText)) continue
    return { index, problem: `the data differ: ${subject}`, ours: ourText ?? '(absent)', theirs: theirText }
  }
  for (const [subject, ourText] of ours) {
    if (!theirs.has(subject)) {
      return { index, problem: `the data differ: ${subject}`, ours: ourText, theirs: '(absent)' }
    }
  }
  return null
}

function isNearTtl(ours: string | undefined, theirs: string): boolean {
  const [one, other] = [ours ?? '', theirs].map((text) => /^ttl (\d+)$/.exec(text)?.[1])
  if (one === undefined || other === undefined) return false
  const apart = BigInt(one) - BigInt(other)
  return apart < BigInt(TTL_TOLERANCE_MS) && -apart < BigInt(TTL_TOLERANCE_MS)
}

async function describeData(probe: RespClient, commands: ReadonlySet<string>): Promise<Map<string, string>> {
  const data = new Map<string, string>()
  if (commands.has('debug')) data.set('digest', showReply(await probe.call('DEBUG', 'DIGEST')))
  for (let db = 0; db < (commands.has('select') ? DATABASES : 1); db++) {
    if (commands.has('select')) await probe.call('SELECT', db)
    const keys = commands.has('scan') ? await scanAll(probe) : [...KEYS]
    if (commands.has('keys')) data.set(`db ${db} KEYS`, ((await probe.query('KEYS', '*')) as string[]).sort().join())
    for (const key of keys) {
      const ask = async (name: string, ...words: string[]) =>
        commands.has(name) ? await probe.call(name, ...words, Buffer.from(key, 'latin1')) : Buffer.alloc(0)
      const subject = `db ${db} key ${JSON.stringify(key)}`
      data.set(`${subject} type`, showReply(await ask('type')))
      data.set(`${subject} encoding`, showReply(await ask('object', 'encoding')))
      const value = await ask(commands.has('dump') ? 'dump' : 'get')
      data.set(`${subject} value`, unorderedDump(value) ?? showReply(value))
      if (commands.has('debug')) data.set(`${subject} digest`, showReply(await ask('debug', 'digest-value')))
      if (commands.has('pttl')) data.set(`${subject} time to live`, `ttl ${decodeReply(await ask('pttl'))}`)
    }
  }
  return data
}

/** All keys, by a whole iteration with SCAN. */
async function scanAll(probe: RespClient): Promise<string[]> {
  const keys = new Set<string>()
  let cursor = '0'
  do {
    const reply = await probe.query('SCAN', cursor, 'COUNT', 3)
    if (reply instanceof RespError) throw new Error(`SCAN failed: ${reply.message}`)
    const [next, page] = reply as [string, string[]]
    for (const key of page) keys.add(key)
    cursor = next
  } while (cursor !== '0')
  return [...keys].sort()
}

// Explaining

async function explain(
  options: DifferentialOptions,
  seed: number,
  steps: readonly Step[],
  difference: Difference,
): Promise<DifferenceError> {
  const shrunk = await shrink(options, steps, difference)
  const last = shrunk.difference
  const lines = shrunk.steps.map((step) => `  ${step.connection}> ${showWords(step.words)}`)
  const place = difference.index < steps.length ? `command ${difference.index}` : 'the end of the round'
  return new DifferenceError(
    [
      `RESP${options.protocol}, seed ${seed}, ${place}: ${difference.problem}`,
      ...(difference.index < steps.length ? [`  command: ${showWords(steps[difference.index]!.words)}`] : []),
      `  ${options.ours.name}: ${difference.ours}`,
      `  ${options.theirs.name}: ${difference.theirs}`,
      shrunk.isShorter
        ? `The shortest history found that shows a difference (${last.problem}):`
        : 'It did not show again; the commands before it:',
      ...lines,
      ...(shrunk.isShorter ? [`  ${options.ours.name}: ${last.ours}`, `  ${options.theirs.name}: ${last.theirs}`] : []),
      `Again: npm run differential -- --protocol ${options.protocol} --seed ${seed} --count ${steps.length}`,
    ].join('\n'),
  )
}

export function showWords(words: Words): string {
  return words
    .map((word) => {
      const bytes = Buffer.from(word, 'latin1')
      return /^[!#-&(-~]+$/.test(word) ? word : reprText(bytes, 0, bytes.length)
    })
    .map((word) => (word.length > 200 ? `${word.slice(0, 200)}... (${word.length} characters)` : word))
    .join(' ')
}

interface Shrunk {
  readonly steps: readonly Step[]
  readonly difference: Difference
  readonly isShorter: boolean
}

/** Leaves steps out while a difference remains: first all but the last, then other keys, then by halves. */
async function shrink(options: DifferentialOptions, steps: readonly Step[], difference: Difference): Promise<Shrunk> {
  const deadlineMs = performance.now() + (options.shrinkMs ?? SHRINK_MS)
  let best = steps.slice(0, difference.index + 1)
  let found = difference
  let isShorter = false
  const attempt = async (candidate: readonly Step[]): Promise<boolean> => {
    if (candidate.length >= best.length || performance.now() > deadlineMs) return false
    const again = await play(options, candidate)
    if (again === null) return false
    best = candidate.slice(0, again.index + 1)
    found = again
    isShorter = true
    return true
  }
  for (const length of [10, 100, 1000]) if (await attempt(best.slice(-length))) break
  const last = best[best.length - 1]
  if (last !== undefined) await attempt(best.filter((step) => mayMatter(step, last)))
  for (let size = best.length >> 1; size >= 1; size = size > 1 ? size >> 1 : 0) {
    for (let end = best.length; end > 0 && performance.now() < deadlineMs; end -= size) {
      const from = Math.max(0, end - size)
      await attempt([...best.slice(0, from), ...best.slice(end)])
    }
  }
  return isShorter ? { steps: best, difference: found, isShorter } : { steps: best.slice(-20), difference, isShorter }
}

function mayMatter(step: Step, last: Step): boolean {
  if (/^(MULTI|EXEC|DISCARD|WATCH|UNWATCH|SELECT|SWAPDB|FLUSHALL|FLUSHDB)$/i.test(step.words[0]!)) return true
  return step.words.slice(1).some((word) => last.words.includes(word, 1))
}
