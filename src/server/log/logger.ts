/**
 * The log in Redis's format, which tools and people read alike:
 *
 *   PID:ROLE dd Mon yyyy hh:mm:ss.mmm LEVEL message
 *
 * ROLE is C before the server is up (and for what saves in the background), M for a master, S for a replica. LEVEL is one
 * of . - * # for debug, verbose, notice, warning. Times are local. Where lines go is the sink's business.
 */
import type { LogLevel } from '../../engine/engine.ts'
import type { LogSink } from './sinks.ts'

const LEVELS: Readonly<Record<LogLevel, number>> = { debug: 0, verbose: 1, notice: 2, warning: 3 }
const MARKS = '.-*#'
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** Longer messages are cut, in bytes: the size of Redis's buffer less its zero. */
const MESSAGE_BYTES_MAX = 1023

export type LogRole = 'C' | 'M' | 'S'

/** The configuration, as far as the log obeys it; read anew for each line. */
export interface LogSettings {
  readonly loglevel: LogLevel
}

export interface LogClock {
  /** Wall-clock microseconds since the epoch. */
  wallUs(): number
}

export class Logger {
  role: LogRole = 'C'
  private readonly settings: LogSettings
  private readonly sink: LogSink
  private readonly clock: LogClock
  private readonly pid: number

  constructor(settings: LogSettings, sink: LogSink, clock: LogClock, pid: number) {
    this.settings = settings
    this.sink = sink
    this.clock = clock
    this.pid = pid
  }

  /** Whether lines of this level are written: for callers whose message costs something to make. */
  isOn(level: LogLevel): boolean {
    return LEVELS[level] >= LEVELS[this.settings.loglevel]
  }

  log(level: LogLevel, message: string): void {
    if (!this.isOn(level)) return
    const stamp = formatTime(Math.floor(this.clock.wallUs() / 1000))
    this.sink.write(`${this.pid}:${this.role} ${stamp} ${MARKS[LEVELS[level]]} ${cut(message)}\n`)
  }

  /** Text as it is, without time and mark: the logo, the lines of a crash report. */
  raw(level: LogLevel, text: string): void {
    if (this.isOn(level)) this.sink.write(text)
  }

  debug(message: string): void {
    this.log('debug', message)
  }

  verbose(message: string): void {
    this.log('verbose', message)
  }

  notice(message: string): void {
    this.log('notice', message)
  }

  warning(message: string): void {
    this.log('warning', message)
  }
}

/** dd Mon yyyy hh:mm:ss.mmm, local time. */
function formatTime(ms: number): string {
  const date = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

function cut(message: string): string {
  // A character takes three bytes at most (a surrogate pair four, for two).
  if (message.length * 3 <= MESSAGE_BYTES_MAX) return message
  const bytes = Buffer.from(message, 'utf8')
  if (bytes.length <= MESSAGE_BYTES_MAX) return message
  let end = MESSAGE_BYTES_MAX
  while ((bytes[end]! & 0xc0) === 0x80) end-- // Not within a character.
  return bytes.toString('utf8', 0, end)
}
