/**
 * The configuration of one server: the values of all parameters, and the only way to change them.
 *
 * `fields` is what code reads. `set` is CONFIG SET: all or nothing, with hooks that put changes into effect and that may
 * refuse them. `directive` is a line of the configuration file. `assign` is the server itself noting a fact.
 */
import { globMatch } from '../../base/glob.ts'
import type { LogLevel } from '../../engine/engine.ts'
import { type Parameter, type ParseScene, Refusal } from './parameter.ts'
import { type Config, camelCase, PARAMETERS, type ParameterName } from './registry.ts'
import { bytesOf, cString, lowerAscii, splitLine } from './text.ts'

export interface ConfigEnvironment {
  /** The working directory to start from, absolute. */
  readonly dir: string
  /** Resolves a directory against another: its real path, or why it cannot be entered (the system's words). */
  enterDir(from: string, path: string): string | Refusal
  log(level: LogLevel, message: string): void
}

/**
 * Puts a change into effect; called after the fields have changed, with the names that were set. A text in answer
 * refuses the change: it goes to the client, and the hook is called once more after the values are back.
 */
export type ChangeHook = (names: readonly ParameterName[]) => HookResult
/** As `ChangeHook`, for what takes time: opening sockets. The client waits for it. */
export type AsyncChangeHook = (names: readonly ParameterName[]) => Promise<HookResult>
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that cannot fail need not say so.
export type HookResult = string | null | void

/** A parameter under one of its names. */
export interface NamedParameter {
  readonly name: ParameterName
  readonly parameter: Parameter
  readonly isAlias: boolean
}

export interface SetContext {
  /** The data set is being loaded. */
  readonly isLoading: boolean
  /** The client is on this machine: connected over loopback or a unix socket. */
  readonly isLocal: boolean
  /** The client can wait for an answer: it is not within a transaction or a script. */
  readonly canWait: boolean
}

/** Null for success, or the error reply without its minus sign. */
export type SetResult = string | null

interface Change {
  readonly name: ParameterName
  readonly parameter: Parameter
  readonly before: unknown
}

interface Registration {
  readonly hook: ChangeHook | AsyncChangeHook
  readonly isAsync: boolean
}

interface PendingHook extends Registration {
  /** The name that a failure is put down to. */
  readonly label: string
}

const NAMED: ReadonlyMap<string, NamedParameter> = nameAll()

function nameAll(): Map<string, NamedParameter> {
  const named = new Map<string, NamedParameter>()
  for (const [key, parameter] of Object.entries<Parameter>(PARAMETERS)) {
    const name = key as ParameterName
    named.set(name, { name, parameter, isAlias: false })
    if (parameter.alias !== undefined) named.set(parameter.alias, { name, parameter, isAlias: true })
  }
  return named
}

/** The parameter of this name or alias, in any case. */
export function findParameter(name: string): NamedParameter | undefined {
  return NAMED.get(lowerAscii(name))
}

export class ConfigStore {
  readonly fields: Config
  /** Path of the configuration file, absolute; null without one. */
  configFile: string | null = null
  /** While a file is read, lines about the same parameter add up where that makes sense. */
  isReadingFile = false
  private readonly environment: ConfigEnvironment
  private readonly values = new Map<ParameterName, unknown>()
  private readonly hooks = new Map<ParameterName, Registration[]>()
  private readonly seenInFile = new Set<ParameterName>()

  constructor(environment: ConfigEnvironment) {
    this.environment = environment
    this.fields = {} as Config
    for (const [name, { kind }] of Object.entries<Parameter>(PARAMETERS)) {
      this.put(name as ParameterName, kind.initial)
    }
    this.put('dir', bytesOf(environment.dir))
  }

  /** Calls `hook` after CONFIG SET has changed any of these; once, if it has changed several. */
  onChange(names: readonly ParameterName[], hook: ChangeHook): void {
    this.register(names, { hook, isAsync: false })
  }

  /** As `onChange`. CONFIG SET of these is refused to clients that cannot wait. */
  onChangeAsync(names: readonly ParameterName[], hook: AsyncChangeHook): void {
    this.register(names, { hook, isAsync: true })
  }

  /** The value as CONFIG GET shows it. */
  format(name: ParameterName): string {
    const { kind } = parameterOf(name)
    return kind.format(this.values.get(name))
  }

  /** The value in the form of its kind: for rewriting and tests. */
  value(name: ParameterName): unknown {
    return this.values.get(name)
  }

  /**
   * CONFIG GET: names and values of what matches any of the patterns. A name without wildcards is found exactly, also
   * when it is hidden, and is answered as it was asked for.
   */
  get(patterns: readonly string[]): (readonly [name: string, value: string])[] {
    const found = new Map<string, readonly [string, string]>()
    for (const pattern of patterns) {
      if (!/[[*?]/.test(pattern)) {
        const key = lowerAscii(pattern)
        const entry = NAMED.get(key)
        if (entry !== undefined && !found.has(key)) found.set(key, [pattern, this.format(entry.name)])
        continue
      }
      const glob = Buffer.from(pattern, 'latin1')
      for (const [key, { name, parameter }] of NAMED) {
        if (parameter.hidden || found.has(key)) continue
        const subject = Buffer.from(key, 'latin1')
        if (globMatch(glob, 0, glob.length, subject, 0, subject.length, true)) found.set(key, [key, this.format(name)])
      }
    }
    return [...found.values()]
  }

  /**
   * CONFIG SET: all of the pairs or none. Synchronous unless a hook is not.
   * The order in which things are refused is Redis's: unknown names, what may not be set, doubles; then the values, one
   * after the other; then the hooks.
   */
  set(pairs: readonly (readonly [name: string, value: string])[], context: SetContext): SetResult | Promise<SetResult> {
    const targets: NamedParameter[] = []
    for (const [asked] of pairs) {
      const target = findParameter(asked)
      if (target === undefined) {
        return `ERR Unknown option or number of arguments for CONFIG SET - '${cString(asked)}'`
      }
      const { parameter } = target
      if (parameter.immutable) return failure(asked, "can't set immutable config")
      if (parameter.protected && !this.allowsProtected(context)) return failure(asked, "can't set protected config")
      if (parameter.denyLoading && context.isLoading) return 'LOADING Redis is loading the dataset in memory'
      // A name and its alias are not taken for the same here.
      if (targets.includes(target)) return failure(asked, 'duplicate parameter')
      targets.push(target)
    }

    const changes: Change[] = []
    const hooks: PendingHook[] = []
    for (const [index, { name, parameter, isAlias }] of targets.entries()) {
      const label = isAlias ? parameter.alias! : name
      const word = pairs[index]![1]
      const before = this.values.get(name)
      const value = this.parse(name, parameter, parameter.multiArg ? splitAtSpaces(word) : [word], {
        isStart: false,
        adds: false,
      })
      if (value instanceof Refusal) {
        this.restore(changes)
        return failure(label, value.reason)
      }
      changes.push({ name, parameter, before })
      this.put(name, value)
      if (!parameter.volatile && parameter.kind.isSame(value, before)) continue
      for (const { hook, isAsync } of this.hooks.get(name) ?? []) {
        if (isAsync && !context.canWait) {
          this.restore(changes)
          return failure(label, 'not possible within a transaction or a script')
        }
        if (!hooks.some((pending) => pending.hook === hook)) hooks.push({ hook, isAsync, label })
      }
    }
    return this.applyFrom(0, hooks, changes)
  }

  /** A line of the configuration file, of the command line or of createServer's options. Null, or why it is refused. */
  directive(target: NamedParameter, args: readonly string[]): string | null {
    const { name, parameter } = target
    let words: readonly string[] = args
    if (!parameter.multiArg) {
      if (args.length !== 1) return 'wrong number of arguments'
    } else if (args.length === 1 && args[0] !== '') {
      // All values may stand in one argument, as in --save "900 1".
      words = splitLine(args[0]!) ?? []
    }
    const value = this.parse(name, parameter, words, {
      isStart: true,
      adds: this.isReadingFile && this.seenInFile.has(name),
    })
    if (value instanceof Refusal) return value.reason
    if (this.isReadingFile) this.seenInFile.add(name)
    this.put(name, value)
    return null
  }

  /** The server notes a fact, such as the port that the system chose. Runs no hooks. */
  assign(name: ParameterName, ...args: readonly string[]): void {
    const value = this.parse(name, parameterOf(name), args.map(bytesOf), { isStart: false, adds: false })
    if (value instanceof Refusal) throw new TypeError(`${name}: ${value.reason}`)
    this.put(name, value)
  }

  /** A line for the log, at level warning. */
  warn(message: string): void {
    this.environment.log('warning', message)
  }

  private register(names: readonly ParameterName[], registration: Registration): void {
    for (const name of names) {
      const hooks = this.hooks.get(name)
      if (hooks === undefined) this.hooks.set(name, [registration])
      else hooks.push(registration)
    }
  }

  private applyFrom(
    first: number,
    hooks: readonly PendingHook[],
    changes: readonly Change[],
  ): SetResult | Promise<SetResult> {
    const names = changes.map(({ name }) => name)
    for (let i = first; i < hooks.length; i++) {
      const result = hooks[i]!.hook(names)
      if (result instanceof Promise) {
        return result.then((reason) =>
          typeof reason === 'string' ? this.undo(reason, i, hooks, changes) : this.applyFrom(i + 1, hooks, changes),
        )
      }
      if (typeof result === 'string') return this.undo(result, i, hooks, changes)
    }
    return null
  }

  /** A hook refused: everything goes back to what it was, and all hooks hear of it. */
  private undo(
    reason: string,
    failed: number,
    hooks: readonly PendingHook[],
    changes: readonly Change[],
  ): SetResult | Promise<SetResult> {
    const culprit = hooks[failed]!.label
    this.warn(
      `Failed applying new configuration. Possibly related to new ${culprit} setting. Restoring previous settings.`,
    )
    this.restore(changes)
    return this.undoFrom(0, hooks, changes, failure(culprit, reason))
  }

  private undoFrom(
    first: number,
    hooks: readonly PendingHook[],
    changes: readonly Change[],
    outcome: string,
  ): SetResult | Promise<SetResult> {
    const names = changes.map(({ name }) => name)
    const complain = (reason: HookResult) => {
      if (typeof reason !== 'string') return
      this.warn(`Failed applying restored failed CONFIG SET command: ${reason}`)
    }
    for (let i = first; i < hooks.length; i++) {
      const result = hooks[i]!.hook(names)
      if (result instanceof Promise) {
        return result.then((reason) => {
          complain(reason)
          return this.undoFrom(i + 1, hooks, changes, outcome)
        })
      }
      complain(result)
    }
    return outcome
  }

  private restore(changes: readonly Change[]): void {
    // From the last to the first: a parameter may be there twice, under its name and its alias.
    for (const { name, before } of changes.toReversed()) this.put(name, before)
  }

  private allowsProtected({ isLocal }: SetContext): boolean {
    const allowed = this.fields.enableProtectedConfigs
    return allowed === 'yes' || (allowed === 'local' && isLocal)
  }

  private parse(
    name: ParameterName,
    parameter: Parameter,
    args: readonly string[],
    when: Pick<ParseScene, 'isStart' | 'adds'>,
  ): unknown {
    const { environment } = this
    const scene: ParseScene = {
      fields: this.fields,
      configFile: this.configFile,
      ...when,
      enterDir: (from, path) => environment.enterDir(from, path),
      warn: (message) => this.warn(message),
    }
    const { kind, notYet } = parameter
    const value = kind.parse(args, this.values.get(name), scene)
    if (notYet !== undefined && !(value instanceof Refusal) && !kind.isSame(value, kind.initial)) {
      return new Refusal(notYet)
    }
    return value
  }

  private put(name: ParameterName, value: unknown): void {
    this.values.set(name, value)
    const fields = this.fields as Record<string, unknown>
    fields[camelCase(name)] = parameterOf(name).kind.toField(value)
  }
}

function parameterOf(name: ParameterName): Parameter {
  return PARAMETERS[name] as Parameter
}

function failure(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${cString(name)}') - ${reason}`
}

/** CONFIG SET takes the values of a multi-argument parameter as one, with single spaces between them. */
function splitAtSpaces(word: string): string[] {
  return word === '' ? [] : word.split(' ')
}
