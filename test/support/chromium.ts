// A real browser for tests of pages: Debian's Chromium, found or installed.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

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
  const path = process.env['CHROMIUM_PATH'] ?? DEBIAN
  if (existsSync(path)) return path
  if (process.env['CHROMIUM_PATH'] === undefined && process.getuid?.() === 0) {
    execFileSync('apt-get', ['update'], { stdio: 'ignore' })
    execFileSync('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], { stdio: 'ignore' })
    if (existsSync(path)) return path
  }
  throw new Error(`There is no Chromium at ${path}. Install it, or name another in CHROMIUM_PATH.`)
}
