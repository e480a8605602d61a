// Debian's Chromium for tests that need a browser.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const PATH = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

/** A browser of its own with a profile of its own; `close()` ends it. Installs Debian's package where root may. */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(PATH)) install()
  return chromium.launch({ executablePath: PATH, args: FLAGS })
}

function install(): void {
  if (process.getuid?.() !== 0 || process.env['CHROMIUM_PATH'] !== undefined)
    throw new Error(`There is no Chromium at ${PATH}. Install Debian's chromium, or name one in CHROMIUM_PATH.`)
  execFileSync('apt-get', ['update'], { stdio: 'ignore' })
  execFileSync('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], { stdio: 'ignore' })
}
