// The connectors of this house by name. A new one adds its line here.
import { join } from 'node:path'
import type { Connector } from './connector'
import { createEchoConnector } from './echo/index'
import type { HostLog } from './host'
import { createSmsConnector } from './sms/index'

/** What a connector's process was told. */
export interface ConnectorSettings {
  readonly smppUrl: string | null
  /** The data folder: each connector keeps what must outlive it in a folder of its own therein. Absent: nothing is kept. */
  readonly dataDir?: string
  /** Tells the processes of one connector apart: each keeps a folder of its own. Absent or empty: there is one. */
  readonly instance?: string
  readonly log: HostLog
}

const FACTORIES: Readonly<Record<string, (settings: ConnectorSettings) => Connector>> = {
  echo: () => createEchoConnector(),
  sms: ({ smppUrl, dataDir, instance = '', log }) => {
    if (smppUrl === null) throw new Error('Set SMPP_URL, such as smpp://system_id:password@host:2775.')
    return createSmsConnector({
      url: smppUrl,
      log,
      ...(dataDir === undefined ? {} : { journalDir: folderOf(dataDir, 'sms', instance) }),
    })
  },
}

const folderOf = (dataDir: string, name: string, instance: string): string =>
  join(dataDir, 'connectors', instance === '' ? name : `${name}-${instance}`)

/** Throws a sentence when there is no such connector, or when a setting that it needs is missing. */
export function createConnector(name: string, settings: ConnectorSettings): Connector {
  const create = Object.hasOwn(FACTORIES, name) ? FACTORIES[name] : undefined
  if (create === undefined) throw new Error(`Name one of the connectors: ${Object.keys(FACTORIES).join(', ')}.`)
  return create(settings)
}
