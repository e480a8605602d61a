// A real gateway on a free port and a data folder of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../../src/config'
import { startGateway, type Parts } from '../../src/gateway'
import { Passwords } from '../../src/identity/passwords'

export const ADMIN = { username: 'admin', password: 'correct horse battery' }
/** Keys of connectors that every test gateway knows. */
export const CONNECTOR_KEY = { sms: 'k-sms-0123456789abcdef0123456789', echo: 'k-echo-0123456789abcdef012345678' }

/** What passwords cost is tested with them; everybody else signs in for a hundredth of it. */
const CHEAP_LN = 8

export const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'fairlead-'))
export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })

/** The settings of a test gateway, to be changed one by one. */
export const testSettings = (dataDir: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PORT: '0',
  HOST: '127.0.0.1',
  DATA_DIR: dataDir,
  METRICS_PORT: '0',
  LOG_LEVEL: 'silent',
  RATE_LIMITS: 'off',
  SECRET_KEY: 'a secret key of thirty-two bytes or more',
  ADMIN_USER: ADMIN.username,
  ADMIN_PASSWORD: ADMIN.password,
  CONNECTOR_ADDRESSES: 'none',
  // Who tests how clients are sent away says in how long; everybody else closes at once.
  DRAIN: '0s',
  CONNECTOR_KEYS: `sms:${CONNECTOR_KEY.sms},echo:${CONNECTOR_KEY.echo}`,
  ...more,
})

/** Starts one; `close` removes its folder too, if it made it. */
export async function openGateway(
  more: Readonly<Record<string, string>> = {},
  parts: Parts & { dataDir?: string } = {},
) {
  const { dataDir = await newFolder(), ...rest } = parts
  const passwords = new Passwords({ ln: CHEAP_LN })
  const gateway = await startGateway(readConfig(testSettings(dataDir, more)), { passwords, ...rest })
  return {
    url: gateway.url,
    dataDir,
    close: async () => {
      await gateway.close()
      if (!parts.dataDir) await removeFolder(dataDir)
    },
  }
}
