// The process of one connector: `node dist/connectors/main.js sms`, with GATEWAY_URL and CONNECTOR_KEY set.
import { readConnectorConfig } from '../src/config'
import { createLogger } from '../src/logger'
import { createConnector } from './catalog'
import { hostConnector } from './host'

async function main(name: string): Promise<void> {
  const config = readConnectorConfig()
  const { gatewayUrl: url, connectorKey: key, connectorInstance: instance, smppUrl, dataDir, logLevel: level } = config
  // What it takes on is told before it acts: whoever asks after a crash what was handed to a provider finds it here.
  const log = createLogger({ level, sync: true })
  const connector = createConnector(name, { smppUrl, dataDir, instance, log })
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  const onFenced = ({ message }: Error) => {
    log.warn({}, `The gateway sent this connector away: ${message}`)
    process.exitCode = 1
  }
  try {
    await hostConnector({ url, key, instance, connector, log, onFenced, signal: stop.signal })
  } catch (cause) {
    if (!stop.signal.aborted) throw cause
  }
}

main(process.argv[2] ?? '').catch((cause: unknown) => {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`)
  process.exitCode = 1
})
