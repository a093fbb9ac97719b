/** Stream commands in process: replies, effects and events. */
import { describe, expect, test } from 'vitest'
import { streamCommands } from '../../src/commands/stream/index.ts'
import { createTestEngine } from '../support/engine.ts'

describe('XADD', () => {
  test('adds and reads back', () => {
    const { client, clock, effects } = createTestEngine(streamCommands())
    clock.advance(1000)
    const now = clock.nowMs
    expect(client.send('XADD', 's', '*', 'field', 'value')).toBe(`$${String(now).length + 2}\r\n${now}-0\r\n`)
    expect(client.send('XADD', 's', '*', 'field', '12')).toBe(`$${String(now).length + 2}\r\n${now}-1\r\n`)
    expect(client.send('XLEN', 's')).toBe(':2\r\n')
    expect(client.send('XRANGE', 's', '-', '+', 'COUNT', '1')).toBe(
      `*1\r\n*2\r\n$${String(now).length + 2}\r\n${now}-0\r\n*2\r\n$5\r\nfield\r\n$5\r\nvalue\r\n`,
    )
    expect(effects).toEqual([`0:XADD s ${now}-0 field value`, `0:XADD s ${now}-1 field 12`])
  })
})
