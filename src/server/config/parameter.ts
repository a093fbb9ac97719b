/**
 * What a configuration parameter is, and the kinds most of them are: yes or no, text, one of several words, a number.
 *
 * A parameter has a value in the form the configuration keeps (byte strings, 64-bit integers: nothing is lost between
 * CONFIG SET and CONFIG GET) and a field in the form code likes to read (JavaScript text, numbers, objects). The kind
 * says how one becomes the other. Kinds of a single parameter stand in special.ts, the list in registry.ts.
 */
import {
  cString,
  formatMemory,
  lowerAscii,
  parseMemory,
  parseOctal,
  parseStrictInteger,
  quote,
  textOf,
} from './text.ts'

const INT64_MAX = (1n << 63n) - 1n
export const INT_MAX = 2 ** 31 - 1
export const INT_MIN = -(2 ** 31)
export const UINT_MAX = 2 ** 32 - 1
/** LONG_MAX and LLONG_MAX, the usual upper bounds; numbers this large are bigints. */
export const LONG_MAX = INT64_MAX
export const ULONG_MAX = (1n << 64n) - 1n

/** Why a value is refused: the text that follows "CONFIG SET failed ... - ". */
export class Refusal {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** What parsing may need to know of the server. */
export interface ParseScene {
  /** The fields as they are so far. */
  readonly fields: { readonly [name: string]: unknown }
  /** Path of the configuration file, or null. */
  readonly configFile: string | null
  /** The server is being set up, not changed by CONFIG SET. */
  readonly isStart: boolean
  /** Several lines of a file may name the parameter and add to each other; false when the value replaces what was. */
  readonly adds: boolean
  /** Resolves a directory against another: its real path, or why it cannot be entered. */
  enterDir(from: string, path: string): string | Refusal
  warn(message: string): void
}

/** A line for the configuration file, and whether it must be there even if the file did not mention the parameter. */
export interface RewriteLine {
  readonly text: string
  readonly isForced: boolean
}

export interface Kind<Value, Field> {
  readonly initial: Value
  /** Never called with values that the kind did not make itself. */
  parse(args: readonly string[], current: Value, scene: ParseScene): Value | Refusal
  /** As CONFIG GET shows it. */
  format(value: Value): string
  toField(value: Value): Field
  /** Whether setting `next` after `current` changes nothing, so that nothing need be applied. */
  isSame(next: Value, current: Value): boolean
  /** The lines of a configuration file that say this; none = the parameter must not be mentioned. */
  lines(name: string, value: Value): readonly RewriteLine[]
}

/** What holds of a parameter beside its kind. */
export interface Traits {
  /** A second name, from before Redis renamed things. */
  readonly alias?: string
  /** Only at start. */
  readonly immutable?: true
  /** Not shown in MONITOR, slow log and the like. */
  readonly sensitive?: true
  /** Worth showing in a crash report. */
  readonly debug?: true
  /** Takes several arguments. */
  readonly multiArg?: true
  /** Found by its exact name only, not by patterns. */
  readonly hidden?: true
  /** CONFIG SET needs enable-protected-configs. */
  readonly protected?: true
  /** Not while the data set is loaded. */
  readonly denyLoading?: true
  /** Refers to something that may have changed even when the value did not: always applied. */
  readonly volatile?: true

  /** Accepted, checked and reported, and it changes nothing here: why. */
  readonly noEffect?: string
  /** Accepted, checked and reported; it takes effect with this part of the server, which is still to come. */
  readonly awaits?: string
  /** Any value but the default is refused, with this reason: to accept it would be a lie. */
  readonly notYet?: string
}

export interface Parameter<Value = unknown, Field = unknown> extends Traits {
  readonly kind: Kind<Value, Field>
}

/** A bag of a kind and its traits. */
export function parameter<Value, Field>(kind: Kind<Value, Field>, traits: Traits = {}): Parameter<Value, Field> {
  return { ...traits, kind }
}

export function isSameValue<Value>(next: Value, current: Value): boolean {
  return next === current
}

/** The single line that most parameters write. */
export function line(name: string, value: string, isForced: boolean): readonly RewriteLine[] {
  return [{ text: `${name} ${value}`, isForced }]
}

// yes or no

export function yesNo(
  initial: boolean,
  traits: Traits = {},
  check?: (value: boolean) => string | null,
): Parameter<boolean, boolean> {
  return parameter(
    {
      initial,
      parse([word]) {
        const lower = lowerAscii(cString(word!))
        if (lower !== 'yes' && lower !== 'no') return new Refusal("argument must be 'yes' or 'no'")
        return refusedBy(check, lower === 'yes') ?? lower === 'yes'
      },
      format: formatYesNo,
      toField: (value) => value,
      isSame: isSameValue,
      lines: (name, value) => line(name, formatYesNo(value), value !== initial),
    },
    traits,
  )
}

function formatYesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}

function refusedBy<Value>(check: ((value: Value) => string | null) | undefined, value: Value): Refusal | null {
  const reason = check?.(value) ?? null
  return reason === null ? null : new Refusal(reason)
}

// Text

export type TextCheck = (value: string, scene: ParseScene) => string | null

/** Text that may be empty. */
export function text(initial: string, traits: Traits = {}, check?: TextCheck): Parameter<string, string> {
  return parameter(
    {
      initial,
      parse([word], _current, scene) {
        const value = cString(word!)
        const reason = check?.(value, scene) ?? null
        return reason === null ? value : new Refusal(reason)
      },
      format: (value) => value,
      toField: textOf,
      isSame: isSameValue,
      lines: (name, value) => line(name, quote(value), value !== initial),
    },
    traits,
  )
}

/** Text that is either there or not: the empty string means that it is not, and then no file mentions it. */
export function optionalText(traits: Traits = {}, check?: TextCheck): Parameter<string, string> {
  const kind = text('', traits, check).kind
  return parameter({ ...kind, lines: optionalLine }, traits)
}

/** A password: all bytes count, zeros too, and the field is a byte string as well, to be compared with what clients send. */
export function secret(traits: Traits = {}): Parameter<string, string> {
  return parameter(
    {
      initial: '',
      parse: ([word]) => word!,
      format: (value) => value,
      toField: (value) => value,
      isSame: isSameValue,
      lines: optionalLine,
    },
    { sensitive: true, ...traits },
  )
}

function optionalLine(name: string, value: string): readonly RewriteLine[] {
  return value === '' ? [] : line(name, quote(value), true)
}

// One of several words, or some of them

/** Words and what they stand for. Two words may stand for the same; the first is the one that is shown. */
type Choices<Word extends string> = readonly (readonly [Word, number])[]

function refuseChoice(choices: Choices<string>): Refusal {
  return new Refusal(`argument(s) must be one of the following: ${choices.map(([word]) => word).join(', ')}`)
}

function findChoice(choices: Choices<string>, word: string): number | undefined {
  const lower = lowerAscii(cString(word))
  return choices.find(([name]) => name === lower)?.[1]
}

/** One word of several. */
export function choice<const Word extends string>(
  words: readonly Word[],
  initial: NoInfer<Word>,
  traits: Traits = {},
): Parameter<number, Word> {
  return choiceOf(
    words.map((word, index) => [word, index] as const),
    initial,
    traits,
  )
}

/** As `choice`, with words that mean the same. */
export function choiceOf<const Word extends string>(
  choices: Choices<Word>,
  initialWord: NoInfer<Word>,
  traits: Traits = {},
): Parameter<number, Word> {
  const initial = findChoice(choices, initialWord)!
  const wordOf = (value: number): Word => choices.find(([, meaning]) => meaning === value)![0]
  return parameter(
    {
      initial,
      parse(args) {
        return (args.length === 1 ? findChoice(choices, args[0]!) : undefined) ?? refuseChoice(choices)
      },
      format: wordOf,
      toField: wordOf,
      isSame: isSameValue,
      lines: (name, value) => line(name, wordOf(value), value !== initial),
    },
    traits,
  )
}

/** Any of several words, each of them one bit; one of the words stands for "none of them". */
export function someOf<const Word extends string>(
  choices: Choices<Word>,
  traits: Traits,
  check?: (value: number) => string | null,
): Parameter<number, readonly Word[]> {
  const format = (value: number): string => {
    const exact = choices.find(([, bits]) => bits === value)
    if (exact !== undefined) return exact[0]
    return bitsIn(value).join(' ')
  }
  const bitsIn = (value: number): Word[] =>
    choices.filter(([, bits]) => bits !== 0 && (value & bits) === bits).map(([word]) => word)
  return parameter(
    {
      initial: 0,
      parse(args) {
        if (args.length === 0) return refuseChoice(choices)
        let value = 0
        for (const word of args) {
          const bits = findChoice(choices, word)
          if (bits === undefined) return refuseChoice(choices)
          value |= bits
        }
        return refusedBy(check, value) ?? value
      },
      format,
      toField: bitsIn,
      isSame: isSameValue,
      lines: (name, value) => line(name, format(value), value !== 0),
    },
    { multiArg: true, ...traits },
  )
}

// Numbers

type Integer = number | bigint

interface NumberForm {
  readonly min: Integer
  readonly max: Integer
  /** How it may be written: as a plain integer (default), a number of bytes, bytes or a percentage, octal digits. */
  readonly form?: 'memory' | 'memory or percent' | 'octal'
  /** Compared as an unsigned 64-bit number, as Redis does for some types: negative input is then far too large. */
  readonly unsigned?: true
  /** What is outside is taken as the nearer end, without complaint; for some only when it is set later. */
  readonly clamp?: { readonly min?: bigint; readonly max?: bigint; readonly notAtStart?: true }
}

/** A whole number. The field is a JavaScript number: exact to 2^53, and what is beyond is "no limit" in practice. */
export function integer(initialNumber: Integer, form: NumberForm, traits: Traits = {}): Parameter<bigint, number> {
  const initial = BigInt(initialNumber)
  const bounds = { min: BigInt(form.min), max: BigInt(form.max) }
  const format = (value: bigint): string => {
    if (isPercent(form, value)) return `${-value}%`
    return form.form === 'octal' ? value.toString(8) : `${value}`
  }
  const formatLine = (value: bigint): string =>
    form.form !== undefined && form.form !== 'octal' && !isPercent(form, value) ? formatMemory(value) : format(value)
  return parameter(
    {
      initial,
      parse([word], _current, scene) {
        const value = parseNumber(form, word!)
        if (value instanceof Refusal) return value
        return refuseBounds(form, bounds, value) ?? clampTo(form.clamp, value, scene.isStart)
      },
      format,
      toField: Number,
      isSame: isSameValue,
      lines: (name, value) => line(name, formatLine(value), value !== initial),
    },
    traits,
  )
}

/** A percentage is kept as a negative number. */
function isPercent(form: NumberForm, value: bigint): boolean {
  return form.form === 'memory or percent' && value < 0n
}

function parseNumber({ form, unsigned }: NumberForm, word: string): bigint | Refusal {
  if (form === undefined) {
    const value = parseStrictInteger(word)
    if (value === null) return new Refusal("argument couldn't be parsed into an integer")
    return unsigned ? BigInt.asUintN(64, value) : value
  }
  if (form === 'octal') {
    const value = parseOctal(word)
    if (value === null) return new Refusal("argument couldn't be parsed as an octal number")
    return unsigned ? BigInt.asUintN(64, value) : value
  }
  const bytes = parseMemory(word)
  if (bytes !== null) return unsigned ? bytes : BigInt.asIntN(64, bytes)
  if (form === 'memory') return new Refusal('argument must be a memory value')
  const percent = word.length > 1 && word.endsWith('%') ? parseStrictInteger(word.slice(0, -1)) : null
  return percent !== null && percent >= 0n ? -percent : new Refusal('argument must be a memory or percent value')
}

function clampTo(clamp: NumberForm['clamp'], value: bigint, isStart: boolean): bigint {
  if (clamp === undefined || (clamp.notAtStart && isStart)) return value
  if (clamp.min !== undefined && value < clamp.min) return clamp.min
  return clamp.max !== undefined && value > clamp.max ? clamp.max : value
}

function refuseBounds(form: NumberForm, { min, max }: { min: bigint; max: bigint }, value: bigint): Refusal | null {
  if (isPercent(form, value)) {
    return value < min ? new Refusal(`percentage argument must be less or equal to ${-min}`) : null
  }
  if (value >= min && value <= max) return null
  const radix = form.form === 'octal' ? 8 : 10
  return new Refusal(`argument must be between ${min.toString(radix)} and ${max.toString(radix)} inclusive`)
}
