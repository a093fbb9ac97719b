import { expect, test } from 'vitest'
import { connectionCommands } from '../../../src/commands/connection/index.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { createTestEngine } from '../../support/engine.ts'

const COMMANDS = [...connectionCommands(), ...stringCommands]

test('one purpose does not end the pause of another', () => {
  const { engine, client, clock } = createTestEngine(COMMANDS)
  engine.pause.start('write', clock.nowMs + 100)
  engine.pause.start('all', Number.POSITIVE_INFINITY, 'shutdown')
  expect(client.send('GET', 'a')).toBe('')
  engine.pause.end('shutdown')
  // What may go on while writes are paused goes on.
  expect(client.sink.take()).toBe('$-1\r\n')
  expect(client.send('SET', 'a', '1')).toBe('')
  clock.advance(101)
  engine.pause.tick()
  expect(client.sink.take()).toBe('+OK\r\n')
  expect(engine.pause.isPaused).toBe(false)
})

test('a second pause for the same purpose only widens and lengthens the first', () => {
  const { engine, client, clock } = createTestEngine(COMMANDS)
  engine.pause.start('all', clock.nowMs + 200)
  engine.pause.start('write', clock.nowMs + 100)
  clock.advance(150)
  engine.pause.tick()
  expect(client.send('GET', 'a')).toBe('')
  clock.advance(51)
  engine.pause.tick()
  expect(client.sink.take()).toBe('$-1\r\n')
})
