/**
 * Checks the rules on which folder may use what: import direction, import cycles, built-in modules, clock and chance
 * from the injected sources only, process.exit only in the program, no mutable state of modules.
 * Works on texts, so that it can be shown to fail on a made-up tree.
 */
import { builtinModules } from 'node:module'
import { posix } from 'node:path'

/** The folders of src/ from the lowest to the highest; those on one line are siblings and never import each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['memory'],
  ['structures'],
  ['keyspace', 'resp'],
  ['engine'],
  ['commands', 'scripting', 'persistence'],
  ['replication'],
  ['net'],
  ['server'],
  ['extension.ts'],
  ['index.ts', 'cli.ts', 'check-rdb.ts', 'check-aof.ts'],
]

/** Lower layers that a folder must not use all the same. */
const NARROWED: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'net', to: 'commands' },
  { from: 'net', to: 'scripting' },
]

/** Folders of the deterministic core: no I/O, no timers, no process. */
const CORE = [
  'base',
  'memory',
  'structures',
  'keyspace',
  'resp',
  'engine',
  'commands',
  'scripting',
  'persistence',
  'replication',
]

/** Built-in modules that the core may use, since they compute and do nothing else. */
const CORE_BUILTINS = ['node:assert', 'node:buffer', 'node:crypto', 'node:util', 'node:zlib']

interface TokenRule {
  readonly pattern: RegExp
  readonly what: string
  readonly isAllowed: (path: string) => boolean
}

const isCore = (path: string) => CORE.includes(layerOf(path))
const isClockFile = (path: string) => /^base\/clock[\w-]*\.ts$/.test(path)
const isRandomFile = (path: string) => /^base\/random[\w-]*\.ts$/.test(path)

const TOKEN_RULES: readonly TokenRule[] = [
  {
    pattern: /\bprocess\s*\.\s*(?:exit|abort|reallyExit)\b/g,
    what: 'ends the process',
    isAllowed: (path) => /^(?:cli|check-\w+)\.ts$/.test(path),
  },
  {
    pattern:
      /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bperformance\s*\.\s*now\b|\bprocess\s*\.\s*(?:hrtime|uptime)\b/g,
    what: 'reads the time (only base/clock may)',
    isAllowed: isClockFile,
  },
  {
    pattern: /\bMath\s*\.\s*random\b|\b(?:randomBytes|randomInt|randomUUID|getRandomValues|randomFillSync)\b/g,
    what: 'takes chance (only base/random may)',
    isAllowed: isRandomFile,
  },
  {
    pattern: /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch)\s*\(/g,
    what: 'uses timers or I/O in the core',
    isAllowed: (path) => !isCore(path),
  },
  {
    pattern: /(?<![.\w])process\s*\./g,
    what: 'uses process in the core',
    isAllowed: (path) => !isCore(path) || isClockFile(path),
  },
  { pattern: /(?<![.\w])console\s*\./g, what: 'prints (only the program may)', isAllowed: (path) => path === 'cli.ts' },
  { pattern: /^(?:export\s+)?(?:let|var)\s+[\w$]+/gm, what: 'is mutable state of a module', isAllowed: () => false },
]

export interface Import {
  readonly specifier: string
  readonly isTypeOnly: boolean
}

/**
 * Blanks comments and, when asked to, the contents of string, template and regular-expression literals; code inside
 * `${}` stays. Lines keep their places.
 */
export function blankLiterals(text: string, blanksStrings: boolean): string {
  const out = text.split('')
  /** For each template literal we are inside of: how many braces are open in its current `${}`. */
  const openBraces: number[] = []
  const blank = (from: number, to: number) => {
    for (let index = from; index < to; index++) if (out[index] !== '\n') out[index] = ' '
  }
  const blankString = (from: number, to: number) => {
    if (blanksStrings) blank(from, to)
  }
  /** From just inside a template literal to its end or its next `${`. */
  const skipTemplate = (from: number): number => {
    for (let index = from; index < text.length; index++) {
      if (text[index] === '\\') index++
      else if (text[index] === '`') {
        blankString(from, index)
        return index + 1
      } else if (text[index] === '$' && text[index + 1] === '{') {
        blankString(from, index)
        openBraces.push(0)
        return index + 2
      }
    }
    return text.length
  }
  let at = 0
  while (at < text.length) {
    const character = text[at]!
    if (character === '/' && text[at + 1] === '/') {
      const lineEnd = text.indexOf('\n', at)
      const end = lineEnd < 0 ? text.length : lineEnd
      blank(at, end)
      at = end
    } else if (character === '/' && text[at + 1] === '*') {
      const close = text.indexOf('*/', at + 2)
      const end = close < 0 ? text.length : close + 2
      blank(at, end)
      at = end
    } else if (character === "'" || character === '"') {
      let end = at + 1
      while (end < text.length && text[end] !== character && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1
      blankString(at + 1, end)
      at = end + 1
    } else if (character === '`') {
      at = skipTemplate(at + 1)
    } else if (character === '{' && openBraces.length > 0) {
      openBraces[openBraces.length - 1]!++
      at++
    } else if (character === '}' && openBraces.length > 0) {
      if (openBraces.at(-1) === 0) {
        openBraces.pop()
        at = skipTemplate(at + 1)
      } else {
        openBraces[openBraces.length - 1]!--
        at++
      }
    } else if (character === '/' && startsRegExp(text, at)) {
      let end = at + 1
      let isInClass = false
      while (end < text.length && text[end] !== '\n' && (isInClass || text[end] !== '/')) {
        if (text[end] === '\\') end++
        else if (text[end] === '[') isInClass = true
        else if (text[end] === ']') isInClass = false
        end++
      }
      blankString(at + 1, end)
      at = end + 1
    } else {
      at++
    }
  }
  return out.join('')
}

/** A slash starts a regular expression where an operand is expected, that is after an operator or a keyword. */
function startsRegExp(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 40), at).trimEnd()
  return (
    before === '' ||
    /[(,=:[!&|?{};+\-*%~^<>]$/.test(before) ||
    /\b(?:return|typeof|case|in|of|do|else|void|throw)$/.test(before)
  )
}

export function findImports(text: string): Import[] {
  const code = blankLiterals(text, false)
  const imports: Import[] = []
  const declared =
    /(?:^|[\n;])\s*(import|export)\s+(type\s+(?!from\s*['"]))?(?:[\w$*\s{},]*?\bfrom\s*)?['"]([^'"\n]+)['"]/g
  for (const match of code.matchAll(declared)) {
    if (match[1] === 'export' && !/\bfrom\s*['"]/.test(match[0])) continue
    imports.push({ specifier: match[3]!, isTypeOnly: match[2] !== undefined })
  }
  for (const match of code.matchAll(/\b(?:import|require)\s*\(\s*['"`]([^'"`\n]+)['"`]/g)) {
    imports.push({ specifier: match[1]!, isTypeOnly: false })
  }
  return imports
}

function layerOf(path: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? path : path.slice(0, slash)
}

function rankOf(path: string): number {
  const layer = layerOf(path)
  return LAYERS.findIndex((siblings) => siblings.includes(layer))
}

/**
 * All violations in a tree, as sentences. `files` maps paths relative to src/ to texts; `dependencies` are the packages
 * that may be imported.
 */
export function findViolations(files: ReadonlyMap<string, string>, dependencies: readonly string[] = []): string[] {
  const violations: string[] = []
  const runtimeEdges = new Map<string, string[]>()
  for (const [path, text] of files) {
    if (rankOf(path) < 0)
      violations.push(`${path}: ${layerOf(path)} is no layer; add it to the list in test/support/layers.ts`)
    const edges: string[] = []
    runtimeEdges.set(path, edges)
    for (const { specifier, isTypeOnly } of findImports(text)) {
      if (!specifier.startsWith('.')) {
        const problem = packageProblem(path, specifier, dependencies)
        if (problem !== null) violations.push(`${path}: ${problem}`)
        continue
      }
      const target = posix.normalize(posix.join(posix.dirname(path), specifier))
      if (target === '../package.json') continue
      if (!files.has(target)) {
        violations.push(`${path}: imports ${specifier}, which is no file of src/ (imports name .ts files)`)
        continue
      }
      const problem = directionProblem(path, target)
      if (problem !== null) violations.push(`${path}: ${problem}`)
      if (!isTypeOnly) edges.push(target)
    }
    const code = blankLiterals(text, true)
    for (const rule of TOKEN_RULES) {
      if (rule.isAllowed(path)) continue
      for (const match of code.matchAll(rule.pattern)) {
        const line = code.slice(0, match.index).split('\n').length
        violations.push(`${path}:${line}: ${match[0].trim()} ${rule.what}`)
      }
    }
  }
  for (const cycle of findCycles(runtimeEdges)) violations.push(`import cycle: ${cycle.join(' -> ')}`)
  return violations
}

function directionProblem(from: string, to: string): string | null {
  if (layerOf(from) === layerOf(to)) return null
  if (from === 'cli.ts' && to === 'index.ts') return null
  if (rankOf(from) < rankOf(to)) return `imports ${to}, which stands above it`
  if (rankOf(from) === rankOf(to)) return `imports ${to} of a sibling`
  for (const rule of NARROWED) {
    if (layerOf(from) === rule.from && layerOf(to) === rule.to)
      return `imports ${to}, which ${rule.from}/ must not know`
  }
  return null
}

function packageProblem(path: string, specifier: string, dependencies: readonly string[]): string | null {
  const bare = specifier.replace(/^node:/, '')
  if (builtinModules.includes(bare)) {
    if (!specifier.startsWith('node:')) return `imports ${specifier} without node:`
    const isClock = isClockFile(path) && specifier === 'node:perf_hooks'
    if (isCore(path) && !isClock && !CORE_BUILTINS.includes(specifier)) return `imports ${specifier} in the core`
    return null
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  return dependencies.includes(name) ? null : `imports ${specifier}, which is no dependency of the package`
}

/** One cycle for each group of files that import each other (depth-first search). */
function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const visit = (path: string) => {
    state.set(path, 'open')
    trail.push(path)
    for (const target of edges.get(path) ?? []) {
      if (state.get(target) === 'open') cycles.push([...trail.slice(trail.indexOf(target)), target])
      else if (!state.has(target)) visit(target)
    }
    trail.pop()
    state.set(path, 'done')
  }
  for (const path of edges.keys()) if (!state.has(path)) visit(path)
  return cycles
}
