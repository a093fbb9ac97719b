/**
 * proc-title-template: the title of the process as ps shows it. {name} is replaced by a variable, {{ is a brace.
 */

export interface ProcTitleVariables {
  readonly title: string
  readonly 'listen-addr': string
  readonly 'server-mode': string
  readonly 'config-file': string
  readonly port: string
  readonly 'tls-port': string
  readonly unixsocket: string
}

/** The configuration that variables are made of. */
export interface ProcTitleFields {
  readonly port: number
  readonly tlsPort: number
  readonly unixsocket: string
  readonly clusterEnabled: boolean
  readonly bind: readonly string[]
}

export function procTitleVariables(
  title: string,
  fields: ProcTitleFields,
  configFile: string | null,
): ProcTitleVariables {
  const port = fields.port || fields.tlsPort
  return {
    title,
    'listen-addr': port ? `${fields.bind[0] ?? '*'}:${port}` : `unixsocket:${fields.unixsocket}`,
    'server-mode': fields.clusterEnabled ? '[cluster]' : '',
    'config-file': configFile ?? '-',
    port: String(fields.port),
    'tls-port': String(fields.tlsPort),
    unixsocket: fields.unixsocket,
  }
}

/** The title, without spaces around it; null when the template has an unknown variable or an open brace. */
export function expandProcTitle(template: string, variables: ProcTitleVariables): string | null {
  let title = ''
  for (let at = 0; at < template.length; ) {
    const brace = template.indexOf('{', at)
    if (brace < 0) {
      title += template.slice(at)
      break
    }
    title += template.slice(at, brace)
    if (template[brace + 1] === '{') {
      title += '{'
      at = brace + 2
      continue
    }
    const end = template.indexOf('}', brace + 1)
    const name = template.slice(brace + 1, end)
    if (end < 0 || !Object.hasOwn(variables, name)) return null
    title += variables[name as keyof ProcTitleVariables]
    at = end + 1
  }
  return title.replace(/^ +| +$/g, '')
}
