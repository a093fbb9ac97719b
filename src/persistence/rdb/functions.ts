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

  /** Adds a library; one of the same name makes way. */
  add(source: Uint8Array): void {
    const name = libraryName(source)
    this.sources = this.sources.filter((other) => libraryName(other) !== name)
    this.sources.push(source)
  }

  /** Adds a library as two release candidates of Redis 7.0 saved it: without the first line that names it. */
  addOld(engine: Uint8Array, name: Uint8Array, code: Uint8Array): void {
    this.add(
      new Uint8Array(Buffer.concat([latin1Bytes('#!'), engine, latin1Bytes(' name='), name, latin1Bytes('\n'), code])),
    )
  }

  clear(): void {
    this.sources = []
  }
}

/** The first line names engine and library: "#!lua name=mylib". */
function libraryName(source: Uint8Array): string {
  const end = source.indexOf(10)
  return latin1Text(source, 0, end < 0 ? source.length : end)
}
