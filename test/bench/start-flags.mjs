// @ts-check
// What `npm start` says to V8, as it says it: a server that is measured runs as people's do.
import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
export const START_FLAGS = String(manifest.scripts.start)
  .split(' ')
  .filter((word) => word.startsWith('--'))
