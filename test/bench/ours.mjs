// @ts-check
// Side A: our gateway as it is built, one node, SQLite on a disk, acknowledging only what is durable.
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { answerAsServer } from './child.mjs'

const require = createRequire(import.meta.url)
const FOLDER = /** @type {string} */ (process.env['BENCH_FOLDER'])
const ENVIRONMENT = {
  PORT: '0',
  HOST: '127.0.0.1',
  METRICS_PORT: '0',
  RATE_LIMITS: 'off',
  LOG_LEVEL: 'silent',
  ADMIN_USER: process.env['BENCH_USER'],
  ADMIN_PASSWORD: process.env['BENCH_PASSWORD'],
}

/** @param {string} name */
const version = (name) => `${name} ${require(`${name}/package.json`).version}`

async function start() {
  const { startGateway } = require('../../dist/src/gateway.js')
  const { readConfig } = require('../../dist/src/config.js')
  const data = mkdtempSync(join(FOLDER, 'ours-'))
  const gateway = await startGateway(readConfig({ ...ENVIRONMENT, DATA_DIR: data }))
  return {
    url: gateway.url,
    door: 'guarded',
    settings: [
      `fairlead ${require('../../package.json').version}`,
      `SQLite WAL, synchronous=FULL, ${version('better-sqlite3')}, ${version('socket.io')}`,
      'acknowledged and delivered after the commit, one node, no Redis, rate limits off, logs silent',
    ].join(', '),
    close: async () => {
      await gateway.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

answerAsServer(start)
