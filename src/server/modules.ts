/**
 * Modules: JavaScript files that add commands, by `loadmodule`, MODULE LOAD and MODULE LOADEX.
 *
 * A module is ESM or CommonJS. Its default export, or one named `commands`, is a list of commands or a function
 * (args, config) => list | Promise<list>. It may export `name` (else the file's name is taken), `version` and `unload`, a
 * function that is called before its commands go. `config` holds the parameters that were set as "name.parameter value",
 * by their names without the module's. Commands may come from another copy of this library: only their declaration
 * counts, out of which commands of this copy are made.
 */
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command, CommandDefinition } from '../engine/command.ts'
import type { CommandTable } from '../engine/command-table.ts'
import { bytesOf, quote } from './config/text.ts'
import type { Logger } from './log/logger.ts'
import { userCommand } from './user-command.ts'

/** Parameters as they were set: "module.parameter" and value. */
export type ModuleParameters = readonly (readonly [name: string, value: string])[]

export type ModuleConfig = Readonly<Record<string, string>>

/** What a module may export. */
export type ModuleCommands =
  | readonly CommandDefinition[]
  | ((
      args: readonly string[],
      config: ModuleConfig,
    ) => readonly CommandDefinition[] | Promise<readonly CommandDefinition[]>)

export interface LoadedModule {
  readonly name: string
  readonly version: number
  /** As it was asked for. */
  readonly path: string
  readonly args: readonly string[]
  readonly commands: readonly Command[]
  readonly unload: (() => unknown) | null
}

export interface ModuleRequest {
  readonly path: string
  readonly args: readonly string[]
  /** Of MODULE LOADEX: the module must take all of them. */
  readonly parameters?: ModuleParameters
}

export type UnloadResult = 'unloaded' | 'unknown' | 'refused'

interface Exports {
  readonly default?: unknown
  readonly commands?: unknown
  readonly name?: unknown
  readonly version?: unknown
  readonly unload?: unknown
}

/** The server cannot start without a module that it was told to load. */
export class ModuleError extends Error {
  override readonly name = 'ModuleError'
  readonly code = 'O7_MODULE'
}

export interface ModulesHost {
  readonly commands: CommandTable
  readonly logger: Logger
  /** What paths are relative to. */
  readonly directory: () => string
}

const NOT_TAKEN = 'Loadex configurations were not applied, likely due to invalid arguments'

export class Modules {
  private readonly host: ModulesHost
  private readonly loaded = new Map<string, LoadedModule>()
  /** Parameters of the configuration that no module has taken yet. */
  private readonly waiting = new Map<string, string>()

  constructor(host: ModulesHost) {
    this.host = host
  }

  /**
   * What the configuration asks for: modules, and parameters for them. Resolves to null, or to why the server cannot
   * start.
   */
  async loadAtStart(requests: readonly ModuleRequest[], parameters: ModuleParameters): Promise<string | null> {
    for (const [name, value] of parameters) this.waiting.set(name, value)
    for (const request of requests) {
      if (!(await this.load(request))) return `Can't load module from ${request.path}: server aborting`
    }
    return this.waiting.size === 0
      ? null
      : 'Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting'
  }

  list(): LoadedModule[] {
    return [...this.loaded.values()]
  }

  /** Lines of the configuration that load the modules again. */
  configLines(): string[] {
    return this.list().map(({ path, args }) => ['loadmodule', path, ...args].map(configWord).join(' '))
  }

  /** Resolves to whether the module was loaded; the log says what is wrong with it. */
  async load(request: ModuleRequest): Promise<boolean> {
    const { logger } = this.host
    const { path } = request
    let exports: Exports
    try {
      exports = await this.import(resolve(this.host.directory(), path))
    } catch (error) {
      logger.warning(`Module ${path} failed to load: ${messageOf(error)}`)
      return false
    }
    try {
      const module = await this.open(request, exports)
      this.add(module)
      logger.notice(`Module '${module.name}' loaded from ${path}`)
      return true
    } catch (error) {
      logger.warning(`Module ${path} initialization failed. Module not loaded: ${messageOf(error)}`)
      return false
    }
  }

  async unload(name: string): Promise<UnloadResult> {
    const module = this.loaded.get(name)
    if (module === undefined) return 'unknown'
    const { logger, commands } = this.host
    try {
      await module.unload?.()
    } catch (error) {
      logger.warning(`Module ${name} OnUnload failed.  Unload canceled. ${messageOf(error)}`)
      return 'refused'
    }
    for (const command of module.commands) commands.remove(command.name)
    this.loaded.delete(name)
    logger.notice(`Module ${name} unloaded`)
    return 'unloaded'
  }

  /** The exports of a file as it is now, also if an earlier state of it was loaded before. */
  private async import(file: string): Promise<Exports> {
    const { mtimeMs } = statSync(file)
    const url = pathToFileURL(file)
    if (mtimeMs > performance.timeOrigin) {
      // It may have been loaded before it changed. CommonJS is kept by file, ESM by URL.
      delete createRequire(url).cache[file]
      url.searchParams.set('modified', String(mtimeMs))
    }
    const imported = (await import(url.href)) as Exports
    // What CommonJS exports comes as the default; its fields are what ESM exports by name.
    const inner = imported.default
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return { ...imported, ...inner }
    return imported
  }

  private async open({ path, args, parameters }: ModuleRequest, exports: Exports): Promise<LoadedModule> {
    const { unload, version } = exports
    const name = typeof exports.name === 'string' ? exports.name : basename(path, extname(path))
    const isDirect = Array.isArray(exports.default) || typeof exports.default === 'function'
    const source = isDirect ? exports.default : exports.commands
    let list: unknown = source
    if (typeof source === 'function') list = await source(args, this.configOf(name, parameters))
    else if (parameters !== undefined && parameters.length > 0) throw new TypeError(NOT_TAKEN)
    if (!Array.isArray(list)) throw new TypeError('it gives no list of commands, as default export or as "commands"')
    return {
      name,
      version: typeof version === 'number' && Number.isInteger(version) ? version : 1,
      path,
      args,
      commands: list.map((item, index) => commandOf(item, index)),
      unload: typeof unload === 'function' ? () => unload() : null,
    }
  }

  /** The parameters of one module. Those of the configuration count as taken. */
  private configOf(name: string, parameters: ModuleParameters | undefined): ModuleConfig {
    const prefix = `${name}.`
    const config: Record<string, string> = {}
    for (const [key, value] of this.waiting) {
      if (!key.startsWith(prefix)) continue
      config[key.slice(prefix.length)] = value
      this.waiting.delete(key)
    }
    for (const [key, value] of parameters ?? []) {
      if (!key.startsWith(prefix)) throw new TypeError(NOT_TAKEN)
      config[key.slice(prefix.length)] = value
    }
    return config
  }

  /** All commands of a module, or none. */
  private add(module: LoadedModule): void {
    if (this.loaded.has(module.name)) throw new TypeError(`there is a module "${module.name}" already`)
    const { commands } = this.host
    const added: Command[] = []
    try {
      for (const command of module.commands) {
        commands.add(command, module.name)
        added.push(command)
      }
    } catch (error) {
      for (const command of added) commands.remove(command.name)
      throw error
    }
    this.loaded.set(module.name, module)
  }
}

function commandOf(item: unknown, index: number): Command {
  if (typeof item !== 'object' || item === null || typeof (item as CommandDefinition).name !== 'string') {
    throw new TypeError(`item ${index} of its list is no command`)
  }
  return userCommand(item as CommandDefinition)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function configWord(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : quote(bytesOf(word))
}
