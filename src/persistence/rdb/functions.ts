/**
 * Function libraries as RDB files carry them. Nothing here runs them: they are kept as they came, so that a file that is
 * loaded and saved again has lost nothing.
 */
import { latin1Bytes, latin1Text } from '../../base/byte-text.ts'

export class FunctionLibraries {
  private sources: Uint8Array[] = []

  /** The libraries' sources. */
  get all(): readonly Uint8Array[] {
    return this.sources
  }

  /** Adds a library. Null, or the name that is taken; with `replaces` the other library makes way. */
  add(source: Uint8Array, replaces: boolean): string | null {
    const name = libraryName(source)
    const others = this.sources.filter((other) => libraryName(other) !== name)
    if (others.length < this.sources.length && !replaces) return name
    this.sources = [...others, source]
    return null
  }

  /** Takes over the libraries of another data set. */
  replaceWith(other: FunctionLibraries): void {
    this.sources = other.sources
  }

  clear(): void {
    this.sources = []
  }
}

/** The source of a library as two release candidates of Redis 7.0 saved it: without the first line that names it. */
export function modernSource(engine: Uint8Array, name: Uint8Array, code: Uint8Array): Uint8Array {
  const parts = [latin1Bytes('#!'), engine, latin1Bytes(' name='), name, latin1Bytes('\n'), code]
  return new Uint8Array(Buffer.concat(parts))
}

/** The first line says engine and name: "#!lua name=mylib". */
function libraryName(source: Uint8Array): string {
  const end = source.indexOf(10)
  const line = latin1Text(source, 0, end < 0 ? source.length : end)
  return /\sname=(\S*)/.exec(line)?.[1] ?? line
}
