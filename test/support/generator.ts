/**
 * Random commands for tests that compare two servers: a generator per command says how its requests look, and how its
 * replies are compared where they are not simply equal. A family of commands is a list of such generators:
 *
 *   export const listGenerators: readonly CommandGenerator[] = [
 *     { name: 'RPUSH', words: (draw) => ['RPUSH', draw.key(), ...draw.several(1, 4, () => draw.value())] },
 *     { name: 'LRANGE', words: (draw) => ['LRANGE', draw.key(), draw.index(), draw.index()] },
 *   ]
 *
 * A few requests in a hundred are spoiled afterwards (words left out, doubled, exchanged, replaced), so generators make
 * good requests and leave mistakes to `spoil`. Keys are few, so that commands meet; values sit at the edges of what
 * Redis tells apart. Requests and keys are text of one character per byte.
 *
 * What makes two servers differ by right is kept out: a time to live drawn here is months away and never twice the
 * same, so that nothing expires during a run and GT and LT never compare equals. SET with a moment that is past leaves a
 * key that goes when somebody meets it, or chance and the cron do: it is not drawn.
 */
import type { Random } from '../../src/base/random.ts'
import { type Comparison, exact } from './generator-compare.ts'

export type Words = readonly string[]

export interface CommandGenerator {
  /** Name of the command, by which it is switched on; containers are named by their own name. */
  readonly name: string
  /** How often it is drawn; 10 by default. */
  readonly weight?: number
  words(draw: Draw): string[]
  readonly compare?: Comparison
  /** There is no such command, and both servers say so. */
  readonly isUnknown?: boolean
  /**
   * Its second word names a subcommand, which gets no zero byte behind it: whether Redis finds it then depends on the
   * seed of its hash function.
   */
  readonly isContainer?: boolean
  /** Takes a time to live: spoiled requests must not make one that ends soon. */
  readonly timed?: boolean
  /** A number in another place could ask both servers for endless work. */
  readonly isSpoiledNever?: boolean
}

/** What was drawn: a request and how its replies compare. */
export interface DrawnCommand {
  readonly words: Words
  readonly compare: Comparison
}

export const KEYS: readonly string[] = [
  'a',
  'b',
  'c',
  'd',
  'e',
  'key:1',
  'key:2',
  '{t}x',
  '',
  'with space',
  '\0\xff\r\n',
]
const RARE_KEYS: readonly string[] = ['absent', 'A', 'k'.repeat(70), 'caf\xc3\xa9']

const INTEGERS: readonly string[] = [
  '0',
  '1',
  '-1',
  '7',
  '10',
  '9999',
  '10000',
  '-5',
  '255',
  '65536',
  '2147483647',
  '-2147483648',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '9223372036854775806',
  '9223372036854775807',
  '-9223372036854775807',
  '-9223372036854775808',
]
const NOT_INTEGERS: readonly string[] = [
  '9223372036854775808',
  '-9223372036854775809',
  '18446744073709551616',
  '00',
  '01',
  '-0',
  '+1',
  ' 1',
  '1 ',
  '1.0',
  '0x10',
  '1e3',
  '-',
  '1\x000',
  'ten',
]
const FLOATS: readonly string[] = [
  '0.1',
  '3.14159',
  '-2.5',
  '1.5',
  '-0.0',
  '0.30000000000000004',
  '1e300',
  '-1e300',
  '1e4000',
  '5e-324',
  '1e-20',
  '123456789.987654321',
  '12345678901234567890',
  '3.0e3',
  'inf',
  '-inf',
  'infinity',
  'nan',
  '.5',
  '5.',
  '0x1p3',
  '1e',
  '1.5 ',
  '1,5',
]
const SHORT_TEXTS: readonly string[] = [
  'x',
  'hello',
  'Hello World',
  'foobar',
  'mynewtext',
  'ohmytext',
  'caf\xc3\xa9',
  '\0',
  '\r\n',
]
/** Around the limits of embstr (44) and of the text of an integer (20). */
const LENGTHS: readonly number[] = [19, 20, 21, 43, 44, 45, 64, 100, 1000]

/** Seconds and milliseconds of drawn times: all at least this large, whichever unit a spoiled request gives them. */
const TIME_MIN = 10_000_000
/** Distance of two drawn times, far above what the clocks of two servers may differ. */
const TIME_STEP_SECONDS = 1000
const TIME_STEPS = 1_000_003
/** The year 2100: later than every time to live drawn. */
const ABSOLUTE_SECONDS = 4_102_444_800
const BAD_TIMES: readonly string[] = [
  '0',
  '-1',
  '-100',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775',
  '9223372036854776',
  '9223372036854775808',
  'soon',
  '1.5',
  '',
]

/** A source of words. The same seed draws the same words. */
export class Draw {
  readonly random: Random
  private times = 0

  constructor(random: Random) {
    this.random = random
  }

  below(bound: number): number {
    return this.random.below(bound)
  }

  /** A whole number from `first` to `last`. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  chance(probability: number): boolean {
    return this.random.float() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** One of the words, in any case. */
  word(...words: readonly string[]): string {
    const word = this.pick(words)
    if (this.chance(0.8)) return word
    return this.chance(0.5)
      ? word.toLowerCase()
      : [...word].map((letter) => (this.chance(0.5) ? letter.toLowerCase() : letter)).join('')
  }

  several(least: number, most: number, draw: () => string): string[] {
    return Array.from({ length: this.between(least, most) }, draw)
  }

  /** The words, or none. */
  maybe(probability: number, draw: () => readonly string[]): readonly string[] {
    return this.chance(probability) ? draw() : []
  }

  /** Of the common keys mostly the first few. */
  key(): string {
    if (this.chance(0.75)) return KEYS[this.below(5)]!
    return this.chance(0.9) ? this.pick(KEYS) : this.pick(RARE_KEYS)
  }

  /** A string value of any kind. */
  value(): string {
    const kind = this.below(100)
    if (kind < 30) return this.integer()
    if (kind < 40) return this.pick(FLOATS)
    if (kind < 45) return this.pick(NOT_INTEGERS)
    if (kind < 48) return ''
    if (kind < 75) return this.pick(SHORT_TEXTS)
    if (kind < 90) return this.text(this.pick(LENGTHS))
    if (kind < 99) return this.binary(this.between(1, 80))
    return this.binary(this.between(1000, 20_000))
  }

  /** Letters of a small alphabet, so that texts have much in common. */
  text(length: number): string {
    let text = ''
    for (let i = 0; i < length; i++) text += 'abcdeABC01'[this.below(10)]!
    return text
  }

  binary(length: number): string {
    let text = ''
    for (let i = 0; i < length; i++) {
      text += String.fromCharCode(this.chance(0.3) ? this.pick([0, 255, 13, 10]) : this.below(256))
    }
    return text
  }

  /** A whole number of 64 bits, seldom none. */
  integer(): string {
    if (this.chance(0.45)) return String(this.between(-1000, 1000))
    return this.chance(0.9) ? this.pick(INTEGERS) : this.pick(NOT_INTEGERS)
  }

  float(): string {
    if (this.chance(0.4)) return this.integer()
    if (this.chance(0.4)) return String(this.between(-100_000, 100_000) / this.pick([2, 3, 7, 10, 100, 1000, 1e7]))
    return this.pick(FLOATS)
  }

  /** An index into something short. */
  index(): string {
    return this.chance(0.85) ? String(this.between(-25, 60)) : this.integer()
  }

  /** Seconds from now. */
  seconds(): string {
    return this.chance(0.07) ? this.pick(BAD_TIMES) : String(TIME_MIN + this.nextTimeStep() * TIME_STEP_SECONDS)
  }

  /** Milliseconds from now, between two that `seconds` gives. */
  milliseconds(): string {
    if (this.chance(0.07)) return this.pick(BAD_TIMES)
    return String((TIME_MIN + (this.nextTimeStep() + 0.5) * TIME_STEP_SECONDS) * 1000)
  }

  /** A moment as Unix seconds: far ahead, or with `past` long past. */
  unixSeconds(past = true): string {
    if (this.chance(0.1)) return this.pick(past ? [...BAD_TIMES, '1', '1000', '1000000000'] : BAD_TIMES)
    return String(ABSOLUTE_SECONDS + this.nextTimeStep() * TIME_STEP_SECONDS)
  }

  unixMilliseconds(past = true): string {
    if (this.chance(0.1)) return this.pick(past ? [...BAD_TIMES, '1', '1000', '1000000000000'] : BAD_TIMES)
    return String((ABSOLUTE_SECONDS + (this.nextTimeStep() + 0.5) * TIME_STEP_SECONDS) * 1000)
  }

  /** EX, PX, EXAT or PXAT with its argument. With `past` for commands that delete a key whose time is past at once. */
  expiry(past = true): string[] {
    switch (this.below(4)) {
      case 0:
        return [this.word('EX'), this.seconds()]
      case 1:
        return [this.word('PX'), this.milliseconds()]
      case 2:
        return [this.word('EXAT'), this.unixSeconds(past)]
      default:
        return [this.word('PXAT'), this.unixMilliseconds(past)]
    }
  }

  /** Never the same twice within a run. */
  private nextTimeStep(): number {
    this.times++
    return (this.times * 7919) % TIME_STEPS
  }
}

/**
 * redis-server's SORT takes good numbers for bad ones when an earlier command met a number out of range: it looks at errno,
 * which it does not reset. SCAN does, and this one does nothing else.
 */
const FORGET_OVERFLOW: DrawnCommand = { words: ['SCAN', '0', 'x'], compare: exact }

/** Draws commands from generators by their weights. */
export class CommandDraw {
  readonly draw: Draw
  private readonly generators: readonly CommandGenerator[]
  private readonly weightsUpTo: number[] = []
  /** What comes next, if that is known. */
  private following: DrawnCommand | null = null

  constructor(generators: readonly CommandGenerator[], random: Random) {
    this.generators = generators
    this.draw = new Draw(random)
    let total = 0
    for (const { weight } of generators) this.weightsUpTo.push((total += weight ?? 10))
  }

  next(): DrawnCommand {
    const { following } = this
    if (following !== null) {
      this.following = null
      return following
    }
    const drawn = this.drawn()
    if (!/^sort/i.test(drawn.words[0]!)) return drawn
    this.following = drawn
    return FORGET_OVERFLOW
  }

  private drawn(): DrawnCommand {
    const { draw } = this
    const at = draw.below(this.weightsUpTo[this.weightsUpTo.length - 1]!)
    const generator = this.generators[this.weightsUpTo.findIndex((weight) => at < weight)]!
    const words = generator.words(draw)
    if (draw.chance(0.2)) words[0] = draw.word(words[0]!)
    const compare = generator.compare ?? exact
    if (generator.isSpoiledNever === true || !draw.chance(SPOIL_PROBABILITY)) return { words, compare }
    const spoiled = spoil(words, generator.isContainer === true, draw)
    return { words: generator.timed === true && mayEndSoon(spoiled) ? words : spoiled, compare }
  }
}

const SPOIL_PROBABILITY = 0.06

/** Whether a number among the words might be a time to live that ends during the run, or a moment that is past. */
function mayEndSoon(words: Words): boolean {
  const has = (option: RegExp) => words.some((word) => option.test(word))
  const least = has(/^pxat/i) ? ABSOLUTE_SECONDS * 1000 : has(/^exat/i) ? ABSOLUTE_SECONDS : TIME_MIN
  return words.some((word, index) => {
    const value = index > 1 && /^[+ ]?\d+/.test(word) ? Number.parseInt(word, 10) : 0
    return value > 0 && value < least
  })
}

/** A request with a mistake in it, most of the time. */
function spoil(words: Words, isContainer: boolean, draw: Draw): string[] {
  const spoiled = [...words]
  if (words.length === 1) return [...spoiled, draw.value()]
  const any = () => draw.between(1, spoiled.length - 1)
  switch (draw.below(9)) {
    case 0:
      spoiled.pop()
      break
    case 1:
      spoiled.splice(any(), 1)
      break
    case 2:
      spoiled.push(draw.value())
      break
    case 3:
      spoiled.push(spoiled[any()]!)
      break
    case 4:
      spoiled.splice(any(), 0, spoiled[any()]!)
      break
    case 5: {
      const [one, other] = [any(), any()]
      const word = spoiled[one]!
      spoiled[one] = spoiled[other]!
      spoiled[other] = word
      break
    }
    case 6:
      spoiled[any()] += isContainer ? 'x' : draw.pick(['\0', '\0x', 'x', ' '])
      break
    case 7:
      spoiled[0] += draw.pick(['x', ' ', '\r\n'])
      break
    default:
      spoiled[any()] = draw.value()
  }
  return spoiled
}
