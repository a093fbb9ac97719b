/** Saving and loading data files. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { loadKeys } from '../load-keys.ts'
import { type Group, MEMORY_KEYS, type Sample, start, VALUE_BYTES } from '../measurement.ts'

export const rdbGroup: Group = {
  id: 'rdb',
  title: 'RDB',
  note: `${MEMORY_KEYS.toLocaleString('en')} keys as above. Save is the duration of SAVE; load is the start of the server with the file less its start without.`,
  measurements: [
    { id: 'saveSeconds', title: 'SAVE', unit: 's', isPlotted: true },
    { id: 'loadSeconds', title: 'Load at start', unit: 's' },
    { id: 'loadKeysPerSecond', title: 'Load at start', unit: 'keys/s', target: { ratioMin: 1.0 } },
    { id: 'fileBytesPerKey', title: 'File size', unit: 'bytes/key' },
  ],
  async open(program, settings) {
    const keys = Math.ceil(MEMORY_KEYS * settings.scale)
    const run = async (): Promise<Sample> => {
      const emptyStartMs = performance.now()
      const server = await start(program)
      const emptySeconds = (performance.now() - emptyStartMs) / 1000
      try {
        await loadKeys(server.port, keys, VALUE_BYTES)
        const client = await server.connect()
        const saveStartMs = performance.now()
        const saved = (await client.call('SAVE')).toString()
        const saveSeconds = (performance.now() - saveStartMs) / 1000
        if (saved !== '+OK\r\n') throw new Error(`SAVE answered ${saved}`)
        await client.close()
        const fileBytes = statSync(join(server.dir, 'dump.rdb')).size

        const loadStartMs = performance.now()
        await using second = await start(program, {}, server.dir)
        const loadSeconds = Math.max(0.001, (performance.now() - loadStartMs) / 1000 - emptySeconds)
        const counter = await second.connect()
        const found = await counter.query('DBSIZE')
        if (found !== keys) throw new Error(`${found} keys after loading ${keys}`)
        await counter.close()
        return { saveSeconds, loadSeconds, loadKeysPerSecond: keys / loadSeconds, fileBytesPerKey: fileBytes / keys }
      } finally {
        await server.stop()
      }
    }
    return { steps: [{ id: 'saveAndLoad', run }], close: async () => {} }
  },
}
