/** Resident memory per key. */
import { loadKeys } from '../load-keys.ts'
import { type Group, MEMORY_KEYS, type Sample, settledResidentBytes, start, VALUE_BYTES } from '../measurement.ts'

export const memoryGroup: Group = {
  id: 'memory',
  title: 'Memory',
  note: `${MEMORY_KEYS.toLocaleString('en')} keys of 16 bytes with values of ${VALUE_BYTES} bytes: resident memory with them less that of the empty server.`,
  measurements: [{ id: 'bytesPerKey', title: 'Bytes per key', unit: 'bytes', target: { ratioMax: 0.65 } }],
  async open(program, settings) {
    const keys = Math.ceil(MEMORY_KEYS * settings.scale)
    const run = async (): Promise<Sample> => {
      await using server = await start(program)
      const before = await settledResidentBytes(server.pid)
      await loadKeys(server.port, keys, VALUE_BYTES)
      return { bytesPerKey: ((await settledResidentBytes(server.pid)) - before) / keys }
    }
    return { steps: [{ id: 'fill', run }], close: async () => {} }
  },
}
