// Tests that start processes, SQLite's worker thread and the processes beside the gateway run the built files: build them once, before all.
const { execFileSync } = require('node:child_process')
const { join } = require('node:path')

module.exports = () => {
  const root = join(__dirname, '../..')
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}
