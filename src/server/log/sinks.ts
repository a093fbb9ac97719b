/**
 * Where log lines go. A sink takes whole lines, never throws, and never reports that it could not write: there is nobody
 * left to tell.
 */
import { appendFileSync } from 'node:fs'

export interface LogSink {
  write(text: string): void
}

/** Keeps what is written, for tests. */
export class MemorySink implements LogSink {
  text = ''

  write(text: string): void {
    this.text += text
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }
}

/** Writes nothing: embedded servers without a log file. */
export const SILENT_SINK: LogSink = { write() {} }

/** A stream of the process; the first sink of the program. A closed pipe ends the log, not the server. */
export class StreamSink implements LogSink {
  private readonly stream: NodeJS.WritableStream

  constructor(stream: NodeJS.WritableStream) {
    this.stream = stream
    stream.on('error', () => {})
  }

  write(text: string): void {
    this.stream.write(text)
  }
}

/**
 * The log file, if the configuration names one, else another sink. The file is opened, appended to and closed for each
 * line, so that it may be moved away, deleted or cut at any time; that costs 8 us more than keeping it open would
 * (measured on the target machine), and log lines are few. The path is asked for each time: it is relative to `dir`.
 */
export class FileOrElseSink implements LogSink {
  private readonly path: () => string | null
  private readonly otherwise: LogSink

  constructor(path: () => string | null, otherwise: LogSink) {
    this.path = path
    this.otherwise = otherwise
  }

  write(text: string): void {
    const path = this.path()
    if (path === null) {
      this.otherwise.write(text)
      return
    }
    try {
      appendFileSync(path, text)
    } catch {
      // A full disk must not stop the server, and there is no other place for this line.
    }
  }
}
