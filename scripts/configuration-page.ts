/**
 * The page of all configuration parameters, as Markdown. What a parameter takes is asked of the parameter itself, by
 * values that it refuses: the page says what CONFIG SET says.
 */
import { type Parameter, type ParseScene, Refusal } from '../src/server/config/parameter.ts'
import { camelCase, FILE_DIRECTIVES, PARAMETERS } from '../src/server/config/registry.ts'
import { textOf } from '../src/server/config/text.ts'

interface Entry {
  readonly name: string
  readonly parameter: Parameter
}

export function configurationPage(parameters: Readonly<Record<string, Parameter>> = PARAMETERS): string {
  const entries = Object.entries(parameters).map(([name, parameter]) => ({ name, parameter }))
  const acting = entries.filter(({ parameter: { noEffect, awaits, notYet } }) => !(noEffect ?? awaits ?? notYet))
  const withoutEffect = entries.filter(({ parameter }) => parameter.noEffect !== undefined)
  const awaiting = entries.filter(({ parameter }) => parameter.awaits !== undefined)
  const refused = entries.filter(({ parameter }) => parameter.notYet !== undefined)
  const parts = [...new Set(awaiting.map(({ parameter }) => parameter.awaits!))]
  return `# Configuration

<!-- Written by \`npm run docs\` from src/server/config/registry.ts. -->

All ${entries.length} parameters of Redis 7.0.15 are known, with its names, defaults, limits and error texts. ${acting.length} of them act as in
Redis. The others are accepted, so that a configuration file written for Redis can be used, and listed here with what
they do instead: ${withoutEffect.length} have nothing to act on, ${awaiting.length} wait for a part of the server that is still to come, and ${refused.length} are refused
unless they keep their default, because to accept them would be a false promise.

## Where they are set

- In a configuration file in Redis's syntax: \`o7-redis /path/to/redis.conf\`.
- On the command line: \`o7-redis --port 6380 --save 900 1 --save 300 10\`, or on standard input with \`-\`.
- In a program, in camelCase: \`createServer({ maxmemory: '100mb', notifyKeyspaceEvents: 'Ex', save: [[900, 1]] })\`.
  There the defaults are those of a guest: \`port\` is any free one, \`bind\` is 127.0.0.1, \`save\` is empty.
- While the server runs: \`CONFIG SET\`, unless the table says "at start". \`CONFIG REWRITE\` writes the file anew.

A file may also hold the directives ${[...FILE_DIRECTIVES].map(code).join(', ')}.

## Parameters

${table(
  ['Parameter', 'Default', 'Takes', ''],
  acting.map((entry) => [nameOf(entry), defaultOf(entry), takes(entry), remarks(entry)]),
)}

## Without effect

Accepted, checked and reported by \`CONFIG GET\`; there is nothing here that they could change.

${table(
  ['Parameter', 'Default', 'Why'],
  withoutEffect.map((entry) => [nameOf(entry), defaultOf(entry), entry.parameter.noEffect!]),
)}

## Waiting for what is still to come

Accepted, checked and reported by \`CONFIG GET\`; they act as soon as that part of the server exists.

${table(
  ['Part', 'Parameters'],
  parts.map((part) => [
    part,
    awaiting
      .filter(({ parameter }) => parameter.awaits === part)
      .map(nameOf)
      .join(', '),
  ]),
)}

## Refused

Only the default is accepted.

${table(
  ['Parameter', 'Default', 'Answer to any other value'],
  refused.map((entry) => [nameOf(entry), defaultOf(entry), entry.parameter.notYet!]),
)}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}

function nameOf({ name, parameter: { alias } }: Entry): string {
  return alias === undefined ? code(name) : `${code(name)} (${code(alias)})`
}

function defaultOf({ name, parameter: { kind } }: Entry): string {
  // The store begins with the folder of its process.
  if (name === 'dir') return 'the current folder'
  return code(textOf(kind.format(kind.initial))) || 'empty'
}

function remarks({ name, parameter: { immutable, protected: isProtected, sensitive } }: Entry): string {
  const option = camelCase(name)
  return [
    ...(option === name ? [] : [code(option)]),
    ...(immutable ? ['at start'] : []),
    ...(isProtected ? ['needs `enable-protected-configs`'] : []),
    ...(sensitive ? ['hidden in logs'] : []),
  ].join(', ')
}

const SCENE: ParseScene = {
  fields: {},
  configFile: null,
  isStart: true,
  adds: false,
  enterDir: () => new Refusal('a folder'),
  warn() {},
}

/** What a parameter accepts, in the words with which it refuses what it does not. */
function takes(entry: Entry): string {
  const known = SYNTAX[entry.name]
  if (known !== undefined) return known
  const reason = refusalOf(entry, '\x01')
  if (reason === null) return 'text'
  const words = /^argument\(s\) must be one of the following: (.*)$/.exec(reason)
  if (words !== null) return words[1]!.split(', ').map(code).join(', ')
  if (reason === "argument must be 'yes' or 'no'") return '`yes`, `no`'
  const unit = reason.includes('memory') ? 'a size in bytes' : reason.includes('octal') ? 'octal digits' : 'a number'
  return `${unit}${boundsOf(entry)}`
}

/** Of what has a syntax of its own. */
const SYNTAX: Readonly<Record<string, string>> = {
  save: 'pairs of seconds and changes',
  replicaof: 'a host and a port',
  dir: 'a folder',
  dbfilename: 'a file name without a path',
  bind: 'up to 16 addresses; one with `-` in front may be missing',
  'client-output-buffer-limit': 'a class (`normal`, `replica`, `pubsub`), hard limit, soft limit, seconds',
  'notify-keyspace-events': 'letters of `KEg$lshzxetdmnA`',
  'latency-tracking-info-percentiles': 'numbers from 0 to 100',
  'proc-title-template':
    'text with `{title}`, `{listen-addr}`, `{server-mode}`, `{port}`, `{tls-port}`, `{unixsocket}`, `{config-file}`',
}

function refusalOf({ parameter: { kind } }: Entry, word: string): string | null {
  const result = kind.parse([word], kind.initial, SCENE)
  return result instanceof Refusal ? result.reason : null
}

const UNLIMITED = new Set(['9223372036854775807', '18446744073709551615'])

function boundsOf(entry: Entry): string {
  for (const word of ['18446744073709551615', '9223372036854775807', '-9223372036854775808', '2147483648']) {
    const bounds = /^argument must be between (\S+) and (\S+) inclusive$/.exec(refusalOf(entry, word) ?? '')
    if (bounds === null) continue
    const [, min, max] = bounds as unknown as [string, string, string]
    return UNLIMITED.has(max) ? `, ${min} or more` : ` from ${min} to ${max}`
  }
  return ''
}
