/**
 * What the server says of itself at start: a logo on a terminal or when always-show-logo asks for it, one line otherwise.
 * "Port:" and "PID:" are what scripts look for in the log of a server that they have started.
 */
import { O7_VERSION, REDIS_VERSION } from '../../base/version.ts'
import type { Logger } from './logger.ts'

export interface Greeting {
  readonly mode: 'standalone' | 'cluster'
  readonly port: number
  readonly pid: number
}

export function logGreeting(logger: Logger, isLogoWanted: boolean, greeting: Greeting): void {
  const { mode, port } = greeting
  if (isLogoWanted) logger.raw('notice', logo(greeting))
  else logger.notice(`Running mode=${mode}, port=${port}.`)
}

function logo({ mode, port, pid }: Greeting): string {
  return `
      .-''''-.     ______
    .'  .--.  '.  |____  |     o7-is ${O7_VERSION} (Redis ${REDIS_VERSION})
   /  /      \\  \\     / /
  |  |        |  |   / /       Running in ${mode} mode
   \\  \\      /  /   / /        Port: ${port}
    '.  '--'  .'   /_/         PID: ${pid}
      '-....-'

`
}
