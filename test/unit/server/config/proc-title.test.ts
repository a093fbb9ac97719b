import { expect, test } from 'vitest'
import { expandProcTitle, procTitleVariables } from '../../../../src/server/config/proc-title.ts'

const FIELDS = { port: 6379, tlsPort: 0, unixsocket: '', clusterEnabled: false, bind: ['127.0.0.1', '::1'] }
const variables = procTitleVariables('o7-redis', FIELDS, '/etc/redis.conf')

test.each([
  ['{title} {listen-addr} {server-mode}', 'o7-redis 127.0.0.1:6379'],
  ['  {config-file}:{port}/{tls-port} ', '/etc/redis.conf:6379/0'],
  ['{{title} }', '{title} }'],
  ['plain', 'plain'],
  ['{unixsocket}{server-mode}', ''],
  ['{nope}', null],
  ['{constructor}', null],
  ['{title', null],
  ['x {', null],
  ['{}', null],
])('%j', (template, expected) => {
  expect(expandProcTitle(template, variables)).toBe(expected)
})

test('the address: TLS alone, nothing bound, a unix socket alone', () => {
  const address = (fields: Partial<typeof FIELDS>) =>
    procTitleVariables('', { ...FIELDS, ...fields }, null)['listen-addr']
  expect(address({ port: 0, tlsPort: 6380 })).toBe('127.0.0.1:6380')
  expect(address({ bind: [] })).toBe('*:6379')
  expect(address({ port: 0, unixsocket: '/tmp/s' })).toBe('unixsocket:/tmp/s')
  expect(procTitleVariables('', { ...FIELDS, clusterEnabled: true }, null)).toMatchObject({
    'config-file': '-',
    'server-mode': '[cluster]',
  })
})
