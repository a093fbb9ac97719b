/**
 * The configuration as the options of createServer: every parameter under its Redis name in camelCase.
 *
 *   createServer({ port: 0, maxmemory: '100mb', save: [[900, 1], [300, 10]], requirepass: 'secret' })
 *
 * Values are checked as those of a configuration file are. The types follow from the registry.
 */
import { type CamelCase, type Config, camelCase, PARAMETERS, type ParameterName } from './registry.ts'
import { type ConfigStore, findParameter } from './store.ts'
import { bytesOf } from './text.ts'

type Scalar = string | number | boolean

/** What may be given for a field: the field's own type, or what redis.conf would say. */
type OptionFor<Field> = Field extends boolean
  ? boolean | 'yes' | 'no'
  : Field extends number
    ? number | string
    : Field extends string
      ? Field
      : string | readonly (Scalar | readonly Scalar[])[]

/** Options of a server: the parameters of redis.conf in camelCase. */
export type ConfigOptions = {
  readonly [Name in ParameterName as CamelCase<Name>]?: OptionFor<Config[CamelCase<Name>]> | undefined
}

/** A wrong option of createServer. */
export class ConfigOptionError extends TypeError {
  readonly code: 'O7_UNKNOWN_OPTION' | 'O7_INVALID_OPTION'
  /** The option as it was given. */
  readonly option: string

  constructor(code: ConfigOptionError['code'], option: string, message: string) {
    super(message)
    this.name = 'ConfigOptionError'
    this.code = code
    this.option = option
  }
}

const NAMES: ReadonlyMap<string, ParameterName> = new Map(
  (Object.keys(PARAMETERS) as ParameterName[]).map((name) => [camelCase(name), name]),
)

/** The options that are parameters, as opposed to those that createServer itself understands. */
export function isConfigOption(option: string): boolean {
  return NAMES.has(option)
}

/** What is needed, where Redis's own words do not tell. */
const NEEDED: ReadonlyMap<ParameterName, string> = new Map([
  ['save', "needed are pairs of seconds and changes, as in [[900, 1]], or '' for none"],
  ['replicaof', "needed are a host and a port, as in '127.0.0.1 6379'"],
])

/** Puts options into the configuration. Throws ConfigOptionError. */
export function applyOptions(store: ConfigStore, options: ConfigOptions): void {
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue
    const name = NAMES.get(option)
    if (name === undefined) throw unknownOption(option)
    const reason = store.directive(findParameter(name)!, argumentsOf(option, value))
    if (reason === null) continue
    const needed = NEEDED.get(name)
    const hint = needed === undefined ? '' : ` (${needed})`
    throw new ConfigOptionError('O7_INVALID_OPTION', option, `option ${option}: ${reason}${hint}`)
  }
}

function argumentsOf(option: string, value: unknown): string[] {
  if (Array.isArray(value)) {
    // An empty list says the same as the empty string: nothing at all.
    return value.length === 0 ? [''] : value.flat().map((item: unknown) => argumentOf(option, item))
  }
  return [argumentOf(option, value)]
}

function argumentOf(option: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return bytesOf(value)
  if (typeof value === 'number' && !Number.isNaN(value)) return String(value)
  const shown = value === null ? 'null' : typeof value === 'number' ? 'NaN' : `a value of type ${typeof value}`
  throw new ConfigOptionError(
    'O7_INVALID_OPTION',
    option,
    `option ${option}: ${shown} is no string, number, boolean or list of them`,
  )
}

/** Says what may have been meant: the option in camelCase, or the new name of an old one. */
export function unknownOption(option: string): ConfigOptionError {
  const dashed = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const meant = findParameter(option) ?? findParameter(dashed)
  const hint = meant === undefined ? '' : `: the option is called ${camelCase(meant.name)}`
  return new ConfigOptionError('O7_UNKNOWN_OPTION', option, `unknown option ${JSON.stringify(option)}${hint}`)
}
