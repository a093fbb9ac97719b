/**
 * Parameters that are like no other: each has a syntax of its own.
 */
import { formatNotifyFlags, parseNotifyFlags } from '../../engine/notifications.ts'
import {
  isSameValue,
  type Kind,
  line,
  type Parameter,
  type ParseScene,
  parameter,
  Refusal,
  type RewriteLine,
  type Traits,
} from './parameter.ts'
import { expandProcTitle, type ProcTitleFields, procTitleVariables } from './proc-title.ts'
import {
  cString,
  formatFloating,
  formatMemory,
  lowerAscii,
  parseFloating,
  parseLooseInteger,
  parseMemory,
  quote,
  textOf,
} from './text.ts'

const never = () => false

// save

export interface SavePoint {
  readonly seconds: number
  readonly changes: number
}

const DEFAULT_SAVE_POINTS: readonly SavePoint[] = [
  { seconds: 3600, changes: 1 },
  { seconds: 300, changes: 100 },
  { seconds: 60, changes: 10000 },
]

const savePointsKind: Kind<readonly SavePoint[], readonly SavePoint[]> = {
  initial: DEFAULT_SAVE_POINTS,
  parse(args, current, scene) {
    if (args.length === 1 && cString(args[0]!) === '') return []
    if (args.length % 2 !== 0) return new Refusal('Invalid save parameters')
    const points = scene.adds ? [...current] : []
    for (let i = 0; i < args.length; i += 2) {
      const seconds = parseLooseInteger(args[i]!)
      const changes = parseLooseInteger(args[i + 1]!)
      if (seconds === null || seconds < 1n || changes === null || changes < 0n) {
        return new Refusal('Invalid save parameters')
      }
      points.push({ seconds: Number(seconds), changes: Number(BigInt.asIntN(32, changes)) })
    }
    return points
  },
  format: (points) => points.map(({ seconds, changes }) => `${seconds} ${changes}`).join(' '),
  toField: (points) => points,
  isSame: never,
  lines(name, points) {
    // Always written: a file without save lines means the default save points.
    if (points.length === 0) return line(name, '""', true)
    return points.map(({ seconds, changes }) => ({ text: `${name} ${seconds} ${changes}`, isForced: true }))
  },
}

export const savePoints = parameter(savePointsKind, { multiArg: true })

// client-output-buffer-limit

export interface OutputLimit {
  readonly hardBytes: number
  readonly softBytes: number
  readonly softSeconds: number
}

export interface OutputLimits {
  readonly normal: OutputLimit
  readonly replica: OutputLimit
  readonly pubsub: OutputLimit
}

export interface ExactLimit {
  readonly hard: bigint
  readonly soft: bigint
  readonly seconds: number
}

type ClientClass = keyof OutputLimits
export type ExactLimits = Readonly<Record<ClientClass, ExactLimit>>

const MIB = 1n << 20n
const DEFAULT_OUTPUT_LIMITS: ExactLimits = {
  normal: { hard: 0n, soft: 0n, seconds: 0 },
  replica: { hard: 256n * MIB, soft: 64n * MIB, seconds: 60 },
  pubsub: { hard: 32n * MIB, soft: 8n * MIB, seconds: 60 },
}
const CLIENT_CLASSES = ['normal', 'replica', 'pubsub'] as const
const CLASS_NAMES: ReadonlyMap<string, ClientClass> = new Map([
  ['normal', 'normal'],
  ['slave', 'replica'],
  ['replica', 'replica'],
  ['pubsub', 'pubsub'],
])

const outputLimitsKind: Kind<ExactLimits, OutputLimits> = {
  initial: DEFAULT_OUTPUT_LIMITS,
  parse(args, current) {
    if (args.length % 4 !== 0) return new Refusal('Wrong number of arguments in buffer limit configuration.')
    const limits = { ...current }
    for (let i = 0; i < args.length; i += 4) {
      const name = CLASS_NAMES.get(lowerAscii(cString(args[i]!)))
      if (name === undefined) return new Refusal('Invalid client class specified in buffer limit configuration.')
      const hard = parseMemory(args[i + 1]!)
      const soft = parseMemory(args[i + 2]!)
      const seconds = parseLooseInteger(args[i + 3]!)
      const softSeconds = seconds === null ? -1 : Number(BigInt.asIntN(32, seconds))
      if (hard === null || soft === null || softSeconds < 0) {
        return new Refusal('Error in hard, soft or soft_seconds setting in buffer limit configuration.')
      }
      limits[name] = { hard, soft, seconds: softSeconds }
    }
    return limits
  },
  format(limits) {
    return CLIENT_CLASSES.map((name) => {
      const { hard, soft, seconds } = limits[name]
      return `${name === 'replica' ? 'slave' : name} ${hard} ${soft} ${seconds}`
    }).join(' ')
  },
  toField(limits) {
    const fieldOf = ({ hard, soft, seconds }: ExactLimit): OutputLimit => ({
      hardBytes: Number(hard),
      softBytes: Number(soft),
      softSeconds: seconds,
    })
    return { normal: fieldOf(limits.normal), replica: fieldOf(limits.replica), pubsub: fieldOf(limits.pubsub) }
  },
  isSame: never,
  lines(option, limits) {
    return CLIENT_CLASSES.map((name): RewriteLine => {
      const { hard, soft, seconds } = limits[name]
      const preset = DEFAULT_OUTPUT_LIMITS[name]
      return {
        text: `${option} ${name} ${formatMemory(hard)} ${formatMemory(soft)} ${seconds}`,
        isForced: hard !== preset.hard || soft !== preset.soft || seconds !== preset.seconds,
      }
    })
  },
}

export const outputLimits = parameter(outputLimitsKind, { multiArg: true })

// oom-score-adj-values

const DEFAULT_OOM_SCORES: readonly number[] = [0, 200, 800]
const OOM_SCORE_LIMIT = 2000n

const oomScoresKind: Kind<readonly number[], readonly number[]> = {
  initial: DEFAULT_OOM_SCORES,
  parse(args, _current, scene) {
    if (args.length !== DEFAULT_OOM_SCORES.length) return new Refusal('wrong number of arguments')
    const scores: number[] = []
    for (const word of args) {
      const score = parseLooseInteger(word)
      if (score === null || score < -OOM_SCORE_LIMIT || score > OOM_SCORE_LIMIT) {
        return new Refusal('Invalid oom-score-adj-values, elements must be between -2000 and 2000.')
      }
      scores.push(Number(score))
    }
    const [master, replica, child] = scores as [number, number, number]
    if (replica < master || child < replica) {
      scene.warn(
        'The oom-score-adj-values configuration may not work for non-privileged processes! Please consult the documentation.',
      )
    }
    return scores
  },
  format: (scores) => scores.join(' '),
  toField: (scores) => scores,
  isSame: isSameList,
  lines: (name, scores) => line(name, scores.join(' '), !isSameList(scores, DEFAULT_OOM_SCORES)),
}

export function oomScores(traits: Traits): Parameter<readonly number[], readonly number[]> {
  return parameter(oomScoresKind, { multiArg: true, ...traits })
}

function isSameList<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

// notify-keyspace-events

const notifyEventsKind: Kind<number, number> = {
  initial: 0,
  parse([letters]) {
    const flags = parseNotifyFlags(cString(letters!))
    return flags < 0 ? new Refusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.") : flags
  },
  format: formatNotifyFlags,
  toField: (flags) => flags,
  isSame: never,
  lines: (name, flags) => line(name, quote(formatNotifyFlags(flags)), flags !== 0),
}

/** The field holds the bits of engine/notifications.ts. */
export const notifyEvents = parameter(notifyEventsKind)

// bind

const DEFAULT_ADDRESSES: readonly string[] = ['*', '-::*']
const ADDRESSES_MAX = 16

const addressesKind: Kind<readonly string[], readonly string[]> = {
  initial: DEFAULT_ADDRESSES,
  parse(args) {
    if (args.length > ADDRESSES_MAX) return new Refusal('Too many bind addresses specified.')
    return args.length === 1 && args[0] === '' ? [] : args.map(cString)
  },
  format: (addresses) => addresses.join(' '),
  toField: (addresses) => addresses.map(textOf),
  isSame: never,
  lines(name, addresses) {
    if (isSameList(addresses, DEFAULT_ADDRESSES)) return []
    return line(name, addresses.length === 0 ? '""' : addresses.join(' '), true)
  },
}

export const addresses = parameter(addressesKind, { multiArg: true })

// replicaof

export interface MasterAddress {
  readonly host: string
  readonly port: number
}

const masterAddressKind: Kind<MasterAddress | null, MasterAddress | null> = {
  initial: null,
  parse(args) {
    if (args.length !== 2) return new Refusal('wrong number of arguments')
    const [host, word] = args.map(cString) as [string, string]
    if (lowerAscii(host) === 'no' && lowerAscii(word) === 'one') return null
    const port = parseLooseInteger(word)
    if (port === null || port < 0n || port > 65535n) return new Refusal('Invalid master port')
    return { host, port: Number(port) }
  },
  format: (master) => (master === null ? '' : `${master.host} ${master.port}`),
  toField: (master) => (master === null ? null : { host: textOf(master.host), port: master.port }),
  isSame: isSameValue,
  lines: (name, master) => (master === null ? [] : line(name, `${master.host} ${master.port}`, true)),
}

export function masterAddress(traits: Traits): Parameter<MasterAddress | null, MasterAddress | null> {
  return parameter(masterAddressKind, { multiArg: true, ...traits })
}

// latency-tracking-info-percentiles

const percentilesKind: Kind<readonly number[], readonly number[]> = {
  initial: [50, 99, 99.9],
  parse(args) {
    if (args.length === 1 && args[0] === '') return []
    const percentiles: number[] = []
    for (const word of args) {
      const value = parseFloating(word)
      if (value === null) return new Refusal('Invalid latency-tracking-info-percentiles parameters')
      if (value > 100 || value < 0) {
        return new Refusal('latency-tracking-info-percentiles parameters should sit between [0.0,100.0]')
      }
      percentiles.push(value)
    }
    return percentiles
  },
  format: (percentiles) => percentiles.map(formatFloating).join(' '),
  toField: (percentiles) => percentiles,
  isSame: never,
  lines: (name, percentiles) =>
    line(name, percentiles.length === 0 ? '""' : percentiles.map(formatFloating).join(' '), true),
}

export const percentiles = parameter(percentilesKind, { multiArg: true })

// dir

const directoryKind: Kind<string, string> = {
  // The store starts with the directory of its server.
  initial: '',
  parse: ([path], current, scene) => scene.enterDir(current, cString(path!)),
  format: (path) => path,
  toField: textOf,
  isSame: never,
  lines: (name, path) => line(name, quote(path), true),
}

/** A directory of this server, not of the process: several servers in one process do not share it. */
export const directory = parameter(directoryKind, { protected: true, denyLoading: true })

// Checks of texts

export function checkDumpName(name: string): string | null {
  return isBaseName(name) ? null : "dbfilename can't be a path, just a filename"
}

export function checkAppendName(name: string): string | null {
  if (name === '') return "appendfilename can't be empty"
  return isBaseName(name) ? null : "appendfilename can't be a path, just a filename"
}

export function checkAppendDirName(name: string): string | null {
  if (name === '') return "appenddirname can't be empty"
  return isBaseName(name) ? null : "appenddirname can't be a path, just a dirname"
}

function isBaseName(name: string): boolean {
  return !/[/\\]/.test(name)
}

const HOST_NAME_BYTES_MAX = 256

export function checkHostName(name: string): string | null {
  if (name.length >= HOST_NAME_BYTES_MAX) return `Hostnames must be less than ${HOST_NAME_BYTES_MAX} characters`
  return /^[A-Za-z0-9.-]*$/.test(name) ? null : 'Hostnames may only contain alphanumeric characters, hyphens or dots'
}

/** A template is good if it makes a title, were it not for the program's name. */
export function checkProcTitle(template: string, scene: ParseScene): string | null {
  const fields = scene.fields as unknown as ProcTitleFields
  return expandProcTitle(template, procTitleVariables('', fields, scene.configFile))
    ? null
    : 'template format is invalid or contains unknown variables'
}

export function checkShutdownFlags(flags: number): string | null {
  const both = SHUTDOWN_SAVE | SHUTDOWN_NOSAVE
  return (flags & both) === both ? "shutdown options SAVE and NOSAVE can't be used simultaneously" : null
}

const SHUTDOWN_SAVE = 1
const SHUTDOWN_NOSAVE = 2
export const SHUTDOWN_CHOICES = [
  ['default', 0],
  ['save', SHUTDOWN_SAVE],
  ['nosave', SHUTDOWN_NOSAVE],
  ['now', 4],
  ['force', 8],
] as const
