/** The commands on places. */
import type { Command } from '../../engine/command.ts'
import { geoadd } from './add.ts'
import { geodist, geohash, geopos } from './position.ts'
import { georadius, georadiusbymember, georadiusbymemberRo, georadiusRo, geosearch, geosearchstore } from './search.ts'

export const geoCommands: readonly Command[] = [
  geoadd,
  geodist,
  geohash,
  geopos,
  georadius,
  georadiusRo,
  georadiusbymember,
  georadiusbymemberRo,
  geosearch,
  geosearchstore,
]
