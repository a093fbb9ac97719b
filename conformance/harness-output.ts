/**
 * Reads what Redis's Tcl test harness prints. One line per test:
 *
 *   [ok]: NAME (12 ms)
 *   [err]: NAME in tests/unit/x.tcl       and on the next lines the message and, for an exception, its backtrace
 *   [err]: MESSAGE                        an exception outside of a test, with its first 10 characters cut off
 *   [skip]: NAME                          left out by an option
 *   [ignore]: NAME: REASON                left out by a tag; without a name for a whole block
 *   [exception]: MESSAGE                  ends the file
 *   [TIMEOUT]: clients state report follows.
 *   sock1 => (IN PROGRESS) NAME
 */

export interface Failure {
  readonly name: string
  /** One line. */
  readonly reason: string
}

export interface HarnessResult {
  readonly passed: readonly string[]
  readonly failed: readonly Failure[]
  /** Tests left out by the harness itself, for instance those that need much memory. */
  readonly skipped: readonly string[]
  /** What went wrong outside of tests: the rest of a block, or of the file, was not run. */
  readonly exceptions: readonly string[]
}

const REASON_CHARACTERS_MAX = 160
const MARK = /^\[(ok|err|skip|ignore|exception|TIMEOUT)\]: /

export function parseHarnessOutput(output: string): HarnessResult {
  const passed: string[] = []
  const failed: Failure[] = []
  const skipped: string[] = []
  const exceptions: string[] = []
  const lines = output.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!
    const mark = MARK.exec(line)
    if (mark === null) continue
    const text = line.slice(mark[0].length)
    switch (mark[1]) {
      case 'ok':
        passed.push(stableName(text.replace(/ \(\d+ ms\)$/, '')))
        break
      case 'skip':
        skipped.push(stableName(text))
        break
      case 'ignore': {
        const named = /^(.*): (?:Tag: |Not supported|large memory|Test not)/.exec(text)
        if (named !== null) skipped.push(stableName(named[1]!))
        break
      }
      case 'err': {
        const named = /^(.*) in tests\/\S+\.tcl$/.exec(text)
        const detail = lines.slice(index + 1, index + 3)
        if (named !== null)
          failed.push({ name: stableName(named[1]!), reason: wholeMessage(detail[0] ?? '', detail[1]) })
        else exceptions.push(wholeMessage(text, detail[0]))
        break
      }
      case 'exception':
        exceptions.push(shorten(text.replace(/^Executing test client: /, '')))
        break
      case 'TIMEOUT': {
        const running = lines.slice(index + 1).find((next) => / => \(/.test(next))
        const named = running === undefined ? null : / => \(IN PROGRESS\) (.*)$/.exec(running)
        if (named !== null) failed.push({ name: stableName(named[1]!), reason: 'no progress until the time limit' })
        exceptions.push(
          `no progress until the time limit${running === undefined ? '' : `: ${running.replace(/^.* => /, '')}`}`,
        )
        break
      }
    }
  }
  return { passed, failed, skipped, exceptions }
}

/** The harness cuts ten characters off every message; where a backtrace follows, its first line has them. */
function wholeMessage(message: string, nextLine: string | undefined): string {
  const isWhole = nextLine?.endsWith(message) && nextLine.length === message.length + 10
  return shorten(isWhole ? nextLine! : message === '' ? (nextLine ?? '') : message)
}

function shorten(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim()
  return line.length > REASON_CHARACTERS_MAX ? `${line.slice(0, REASON_CHARACTERS_MAX - 3)}...` : line
}

/** A test's name without what differs from run to run, and without what cannot stand in a list with tabs. */
export function stableName(name: string): string {
  return name.replace(/[\t\r]/g, ' ').trim()
}
