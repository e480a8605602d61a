// A real browser for tests of pages: Debian's Chromium, found or installed.
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import { foundOrInstalled } from './debian'

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]
const DEBIAN = '/usr/bin/chromium'

/** Starts Chromium; whoever starts it closes it. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: FLAGS })
}

function findChromium(): string {
  const named = process.env['CHROMIUM_PATH']
  const need = `There is no Chromium at ${named ?? DEBIAN}. Install it, or name another in CHROMIUM_PATH.`
  if (named === undefined) return foundOrInstalled(() => (existsSync(DEBIAN) ? DEBIAN : undefined), 'chromium', need)
  if (existsSync(named)) return named
  throw new Error(need)
}
