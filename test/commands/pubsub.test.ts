/** What the comparison with redis-server (test/compat/pubsub.test.ts) does not reach: state, closing clients, events of every class. */
import { describe, expect, test } from 'vitest'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { pubsubCommands } from '../../src/commands/pubsub/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { TO_ALL, TO_REPLICAS } from '../../src/engine/effects.ts'
import {
  formatNotifyFlags,
  NOTIFY_ALL,
  NOTIFY_GENERIC,
  NOTIFY_KEY_MISS,
  NOTIFY_KEYEVENT,
  NOTIFY_KEYSPACE,
  NOTIFY_NEW,
  NOTIFY_STREAM,
  parseNotifyFlags,
} from '../../src/engine/notifications.ts'
import { createTestEngine, TestClient } from '../support/engine.ts'

const COMMANDS = [...connectionCommands(), ...pubsubCommands, ...stringCommands]

describe('subscriptions', () => {
  test('leave nothing behind', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    const { pubsub } = engine
    const others = Array.from({ length: 10 }, () => new TestClient(engine))
    for (const other of others) {
      other.send('SUBSCRIBE', 'a', 'b')
      other.send('PSUBSCRIBE', 'p*', 'q*')
      other.send('SSUBSCRIBE', 's')
    }
    expect([pubsub.channels.size, pubsub.patterns.size, pubsub.shardChannels.size]).toEqual([2, 2, 1])
    expect(client.send('PUBLISH', 'a', 'm')).toBe(':10\r\n')
    for (const [index, other] of others.entries()) {
      if (index % 3 === 0) engine.disconnect(other.session)
      else if (index % 3 === 1) other.send('RESET')
      else for (const command of ['UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE']) other.send(command)
    }
    expect([pubsub.channels.size, pubsub.patterns.size, pubsub.shardChannels.size]).toEqual([0, 0, 0])
    expect(pubsub.isDeaf).toBe(true)
    expect(client.send('PUBLISH', 'a', 'm')).toBe(':0\r\n')
  })

  test('to ten thousand channels', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    const names = Array.from({ length: 10_000 }, (_, i) => `channel:${i}`)
    const reply = client.send('SUBSCRIBE', ...names)
    expect(reply.endsWith('$12\r\nchannel:9999\r\n:10000\r\n')).toBe(true)
    const publisher = new TestClient(engine)
    expect(publisher.send('PUBLISH', 'channel:7777', 'm')).toBe(':1\r\n')
    expect(client.sink.take()).toBe('*3\r\n$7\r\nmessage\r\n$12\r\nchannel:7777\r\n$1\r\nm\r\n')
    expect(client.send('UNSUBSCRIBE').split('unsubscribe').length - 1).toBe(10_000)
    expect(engine.pubsub.isDeaf).toBe(true)
  })

  test('one client that matches several ways gets a message for each, its channel first', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    const publisher = new TestClient(engine)
    client.send('PSUBSCRIBE', 'n*', '*s')
    client.send('SUBSCRIBE', 'news')
    expect(publisher.send('PUBLISH', 'news', 'm')).toBe(':3\r\n')
    expect(client.sink.take().match(/p?message\r\n\$\d\r\n[^\r]+/g)).toEqual([
      'message\r\n$4\r\nnews',
      'pmessage\r\n$2\r\nn*',
      'pmessage\r\n$2\r\n*s',
    ])
  })
})

test('messages are for replicas, not for the file', () => {
  const { engine, client } = createTestEngine(COMMANDS)
  const seen: [string, number][] = []
  engine.effects.addSink({
    effect(_dbIndex, argv, targets) {
      seen.push([argv.latin1(0), targets])
    },
  })
  client.send('PUBLISH', 'a', 'm')
  client.send('SPUBLISH', 'a', 'm')
  client.send('SET', 'k', 'v')
  client.send('GET', 'k')
  expect(seen).toEqual([
    ['PUBLISH', TO_REPLICAS],
    ['SPUBLISH', TO_REPLICAS],
    ['SET', TO_ALL],
  ])
})

describe('keyspace events', () => {
  test('letters and bits are the same both ways', () => {
    expect(parseNotifyFlags('')).toBe(0)
    expect(parseNotifyFlags('KEA')).toBe(NOTIFY_KEYSPACE | NOTIFY_KEYEVENT | NOTIFY_ALL)
    expect(parseNotifyFlags('g$lshzxetd')).toBe(NOTIFY_ALL)
    expect(parseNotifyFlags('KEx!')).toBe(-1)
    expect(formatNotifyFlags(NOTIFY_ALL | NOTIFY_KEYEVENT)).toBe('AE')
    expect(formatNotifyFlags(NOTIFY_ALL | NOTIFY_KEY_MISS | NOTIFY_KEYSPACE | NOTIFY_KEYEVENT)).toBe('AKEm')
    // "A" hides "n", which it does not stand for.
    expect(formatNotifyFlags(NOTIFY_ALL | NOTIFY_NEW)).toBe('A')
    for (const letters of ['g', '$', 'l', 's', 'h', 'z', 'x', 'e', 't', 'd', 'n', 'K', 'E', 'm', 'gxn', 'g$lKEm']) {
      expect(formatNotifyFlags(parseNotifyFlags(letters))).toBe(letters)
    }
  })

  test.each(['g', '$', 'l', 's', 'h', 'z', 'x', 'e', 't', 'm', 'd', 'n'])(
    'of class %s reach who asked for it',
    (letter) => {
      const { engine, client } = createTestEngine(COMMANDS)
      const [db] = engine.keyspace.databases
      const bit = parseNotifyFlags(letter)
      const key = Buffer.from('xkeyx')
      const tell = (eventClass: number): string => {
        client.session.notify(eventClass, 'happened', db!, key, 1, 3)
        return client.sink.take()
      }
      client.send('PSUBSCRIBE', '__key*')
      const keyspaceMessage = '*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$18\r\n__keyspace@0__:key\r\n$8\r\nhappened\r\n'
      const keyeventMessage = '*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$23\r\n__keyevent@0__:happened\r\n$3\r\nkey\r\n'
      engine.settings.notifyFlags = bit | NOTIFY_KEYSPACE
      expect(tell(bit)).toBe(keyspaceMessage)
      engine.settings.notifyFlags = bit | NOTIFY_KEYEVENT
      expect(tell(bit)).toBe(keyeventMessage)
      engine.settings.notifyFlags = bit | NOTIFY_KEYSPACE | NOTIFY_KEYEVENT
      expect(tell(bit)).toBe(keyspaceMessage + keyeventMessage)
      const otherBit = bit === NOTIFY_GENERIC ? NOTIFY_STREAM : NOTIFY_GENERIC
      expect(tell(otherBit)).toBe('')
      engine.settings.notifyFlags = bit
      expect(tell(bit)).toBe('')
    },
  )
})
