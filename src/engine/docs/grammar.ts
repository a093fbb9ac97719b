/**
 * The arguments of a command in one line of text, and the tree that COMMAND DOCS gives for it.
 *
 *   value                a string; another type follows a colon: `seconds:integer`, `pattern:pattern`
 *   key#0                a key, found by key spec 0; a type goes before it: `pattern:pattern#1`
 *   NX                   a word that is sent as it stands; `CH=change` names it otherwise than by itself in lower case
 *   ""=none              the empty word
 *   EX seconds:integer   an argument announced by a word
 *   [value]              may be left out
 *   value ...            may repeat; `GET... pattern` repeats together with its word
 *   name<a | b>          one of these
 *   name{a b}            all of these, in this order
 *   value@6.2.0          there since that version; `@-2.8.12` deprecated since; after `>` and `}` for groups
 *
 * Example: `key#0 value [condition<NX | XX>@2.6.12] [GET@6.2.0] [expiration<EX seconds:integer | KEEPTTL>]`.
 * Line ends count as spaces. Words hold no small letters, names no capitals. All names and types are Redis's.
 */
export const ARGUMENT_TYPES = [
  'string',
  'integer',
  'double',
  'key',
  'pattern',
  'unix-time',
  'pure-token',
  'oneof',
  'block',
] as const

export type ArgumentType = (typeof ARGUMENT_TYPES)[number]

export interface Argument {
  readonly name: string
  readonly type: ArgumentType
  /** Which of the command's key specs finds it; -1 for none. */
  readonly keySpecIndex: number
  readonly token: string | null
  readonly since: string | null
  readonly deprecatedSince: string | null
  readonly optional: boolean
  readonly multiple: boolean
  readonly multipleToken: boolean
  /** Of `oneof` and `block`. */
  readonly arguments: readonly Argument[]
}

/** A mistake in a grammar; the message shows its place. */
export class GrammarError extends Error {}

/** Reads a grammar, or throws a GrammarError. */
export function parseGrammar(text: string): Argument[] {
  return new GrammarReader(text).readAll()
}

type Draft = { -readonly [Field in keyof Argument]: Argument[Field] }

/** A word with what is attached to it, an ellipsis on its own, or a bracket. */
const LEXEME = /\s*(\.\.\.|[[\]<>{}|]|[^\s[\]<>{}|]+)/y
const NAME = /^([^@#]+?)(?::([a-z-]+))?(?:#(\d+))?((?:@[^@]+)*)$/
const EMPTY_WORD = '""'
const VERSION = /^\d+\.\d+\.\d+$/

class GrammarReader {
  private readonly text: string
  /** Just past the lexeme under way. */
  private at = 0
  private lexeme: string | null = null

  constructor(text: string) {
    this.text = text
    this.advance()
  }

  readAll(): Argument[] {
    const all = this.readSequence()
    if (this.lexeme !== null) this.fail(`unexpected ${this.lexeme}`)
    return all
  }

  /** Arguments up to a bracket that closes, a bar, or the end. */
  private readSequence(): Argument[] {
    const sequence: Argument[] = []
    while (this.lexeme !== null && !/^[\]>}|]$/.test(this.lexeme)) sequence.push(this.readArgument())
    return sequence
  }

  private readArgument(): Argument {
    const isOptional = this.lexeme === '['
    if (isOptional) this.advance()
    const argument = this.readPlain()
    if (this.lexeme === '...') {
      if (argument.multipleToken) this.fail('it repeats already')
      argument.multiple = true
      this.advance()
    }
    argument.optional = isOptional
    if (isOptional) this.expect(']')
    return argument
  }

  /** A word alone, a word with the argument it announces, or an argument. */
  private readPlain(): Draft {
    const lexeme = this.lexeme
    if (lexeme === null || isSign(lexeme)) this.fail('an argument is missing')
    if (!isWord(lexeme)) return this.readNamed(null)
    this.advance()
    const repeats = lexeme.endsWith('...')
    const word = repeats ? lexeme.slice(0, -3) : lexeme
    if (this.lexeme !== null && !isSign(this.lexeme) && !isWord(this.lexeme) && word.indexOf('=', 1) < 0) {
      const argument = this.readNamed(word)
      if (repeats) argument.multiple = argument.multipleToken = true
      return argument
    }
    if (repeats) this.fail(`${lexeme} announces no argument`)
    return this.pureToken(word)
  }

  private pureToken(word: string): Draft {
    const [, tokenAndName, versions] = /^(.[^@]*)((?:@[^@]+)*)$/.exec(word) ?? this.fail(`cannot read ${word}`)
    const equals = tokenAndName!.indexOf('=', 1)
    const token = equals < 0 ? tokenAndName! : tokenAndName!.slice(0, equals)
    const name = equals < 0 ? token.toLowerCase() : tokenAndName!.slice(equals + 1)
    const argument = draft(name, 'pure-token')
    argument.token = token === EMPTY_WORD ? '' : token
    this.readVersions(argument, versions!)
    return argument
  }

  private readNamed(token: string | null): Draft {
    const match = NAME.exec(this.lexeme!)
    if (match === null) this.fail(`cannot read ${this.lexeme}`)
    const [, name, type, keySpecIndex, versions] = match
    if (name!.toLowerCase() !== name) this.fail(`${name} is neither a word nor a name`)
    this.advance()
    const opening = this.lexeme
    if (opening === '<' || opening === '{') {
      if (type !== undefined || keySpecIndex !== undefined || versions !== '') this.fail(`${name} is a group`)
      return this.readGroup(name!, token, opening)
    }
    const argument = draft(name!, this.typeOf(type, keySpecIndex))
    argument.token = token
    argument.keySpecIndex = keySpecIndex === undefined ? -1 : Number(keySpecIndex)
    this.readVersions(argument, versions!)
    return argument
  }

  private readGroup(name: string, token: string | null, opening: '<' | '{'): Draft {
    this.expect(opening)
    const members = this.readSequence()
    if (opening === '<') {
      if (members.length !== 1) this.fail(`each choice of ${name} is one argument`)
      while (this.lexeme === '|') {
        this.advance()
        const choice = this.readSequence()
        if (choice.length !== 1) this.fail(`each choice of ${name} is one argument`)
        members.push(choice[0]!)
      }
    }
    if (members.length === 0) this.fail(`${name} is empty`)
    this.expect(opening === '<' ? '>' : '}')
    const argument = draft(name, opening === '<' ? 'oneof' : 'block')
    argument.token = token
    argument.arguments = members
    if (this.lexeme?.startsWith('@')) {
      this.readVersions(argument, this.lexeme)
      this.advance()
    }
    return argument
  }

  private typeOf(type: string | undefined, keySpecIndex: string | undefined): ArgumentType {
    if (type === undefined) return keySpecIndex === undefined ? 'string' : 'key'
    const known = ARGUMENT_TYPES.slice(0, -3).find((one) => one === type)
    return known ?? this.fail(`${type} is no type`)
  }

  private readVersions(argument: Draft, versions: string): void {
    for (const version of versions.split('@').slice(1)) {
      const isDeprecation = version.startsWith('-')
      const number = isDeprecation ? version.slice(1) : version
      if (!VERSION.test(number)) this.fail(`@${version} is no version`)
      if (isDeprecation) argument.deprecatedSince = number
      else argument.since = number
    }
  }

  private expect(bracket: string): void {
    if (this.lexeme !== bracket) this.fail(`${bracket} is missing`)
    this.advance()
  }

  private advance(): void {
    LEXEME.lastIndex = this.at
    const match = LEXEME.exec(this.text)
    this.lexeme = match === null ? null : match[1]!
    this.at = match === null ? this.text.length : LEXEME.lastIndex
  }

  private fail(problem: string): never {
    const done = this.text.slice(0, this.at - (this.lexeme?.length ?? 0)).trimEnd()
    throw new GrammarError(`argument grammar: ${problem}, after "${done.slice(-40)}"`)
  }
}

function draft(name: string, type: ArgumentType): Draft {
  return {
    name,
    type,
    keySpecIndex: -1,
    token: null,
    since: null,
    deprecatedSince: null,
    optional: false,
    multiple: false,
    multipleToken: false,
    arguments: [],
  }
}

function isSign(lexeme: string): boolean {
  return lexeme === '...' || /^[[\]<>{}|]$/.test(lexeme)
}

/** Words are sent as they stand: capitals, digits and signs. What follows "=" names the word. */
function isWord(lexeme: string): boolean {
  const end = lexeme.indexOf('=', 1)
  return !/[a-z]/.test(end < 0 ? lexeme : lexeme.slice(0, end)) && !lexeme.startsWith('@')
}

/** The syntax of a command for people, in the style of the Redis documentation: `SET key value [NX | XX] [GET] ...`. */
export function formatSyntax(fullName: string, all: readonly Argument[]): string {
  return [fullName.replace('|', ' ').toUpperCase(), ...all.map(formatArgument)].join(' ')
}

function formatArgument(argument: Argument): string {
  const { token, optional, multiple } = argument
  const value = formatValue(argument)
  const word = token === '' ? EMPTY_WORD : token
  const once = [word, value].filter((part) => part !== null).join(' ')
  const again = argument.multipleToken ? once : value
  const all = multiple ? `${once} [${again} ...]` : once
  return optional ? `[${all}]` : all
}

function formatValue({ type, name, token, optional, multiple, arguments: members }: Argument): string | null {
  if (type === 'pure-token') return null
  if (type === 'block') return members.map(formatArgument).join(' ')
  if (type !== 'oneof') return name
  const choices = members.map(formatArgument).join(' | ')
  return optional && token === null && !multiple ? choices : `<${choices}>`
}
