/** Arguments, history and tips of the geo commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const geoDetails = (): DetailTable => ({
  geoadd: {
    arguments: `key#0 [condition<NX | XX>@6.2.0] [CH=change@6.2.0]
      longitude_latitude_member{longitude:double latitude:double member} ...`,
    history: [['6.2.0', 'New: `CH`, `NX` and `XX`.']],
  },
  geodist: { arguments: 'key#0 member1 member2 [unit<M | KM | FT | MI>]' },
  geohash: { arguments: 'key#0 member ...' },
  geopos: { arguments: 'key#0 member ...' },
  georadius: {
    arguments: `key#0 longitude:double latitude:double radius:double unit<M | KM | FT | MI> [WITHCOORD] [WITHDIST]
      [WITHHASH] [count{COUNT count:integer [ANY@6.2.0]}] [order<ASC | DESC>] [STORE key#1]
      [STOREDIST key#2]`,
    history: [
      ['6.2.0', '`COUNT` takes `ANY`.'],
      ['7.0.0', 'Units may be written in capitals.'],
    ],
    deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument' },
  },
  georadius_ro: {
    arguments: `key#0 longitude:double latitude:double radius:double unit<M | KM | FT | MI> [WITHCOORD] [WITHDIST]
      [WITHHASH] [count{COUNT count:integer [ANY@6.2.0]}] [order<ASC | DESC>]`,
    history: [['6.2.0', '`COUNT` takes `ANY`.']],
    deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` with the `BYRADIUS` argument' },
  },
  georadiusbymember: {
    arguments: `key#0 member radius:double unit<M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
      [count{COUNT count:integer [ANY]}] [order<ASC | DESC>] [STORE key#1] [STOREDIST key#2]`,
    history: [['7.0.0', 'Units may be written in capitals.']],
    deprecated: {
      since: '6.2.0',
      replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments',
    },
  },
  georadiusbymember_ro: {
    arguments: `key#0 member radius:double unit<M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
      [count{COUNT count:integer [ANY]}] [order<ASC | DESC>]`,
    deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments' },
  },
  geosearch: {
    arguments: `key#0 from<FROMMEMBER member | FROMLONLAT longitude_latitude{longitude:double latitude:double}>
      by<circle{BYRADIUS radius:double unit<M | KM | FT | MI>}
        | box{BYBOX width:double height:double unit<M | KM | FT | MI>}>
      [order<ASC | DESC>] [count{COUNT count:integer [ANY]}] [WITHCOORD] [WITHDIST] [WITHHASH]`,
    history: [['7.0.0', 'Units may be written in capitals.']],
  },
  geosearchstore: {
    arguments: `destination#0 source#1
      from<FROMMEMBER member | FROMLONLAT longitude_latitude{longitude:double latitude:double}>
      by<circle{BYRADIUS radius:double unit<M | KM | FT | MI>}
        | box{BYBOX width:double height:double unit<M | KM | FT | MI>}>
      [order<ASC | DESC>] [count{COUNT count:integer [ANY]}] [STOREDIST]`,
    history: [['7.0.0', 'Units may be written in capitals.']],
  },
})
