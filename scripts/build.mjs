// Builds what runs: the server file by file, the browser's bundles, and the assets of the documentation pages. Under a second.
import { build } from 'esbuild'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
process.chdir(root)

const sources = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))

const server = [...sources('src'), ...sources('connectors')].filter((file) => !file.startsWith('src/web/'))
const node = { outbase: '.', outdir: 'dist', platform: 'node', target: 'node20', format: 'cjs', sourcemap: true }
await build({ ...node, entryPoints: server, logLevel: 'warning' })
/** In one piece: a thread that reads hundreds of files before it opens its own keeps every start waiting. */
await build({
  ...node,
  entryPoints: ['src/store/sqlite-worker.ts'],
  bundle: true,
  external: ['better-sqlite3'],
  logLevel: 'warning',
})

/** A page is a folder under src/web with a main.ts; what stands beside it is copied. */
for (const page of readdirSync('src/web', { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  const from = join('src/web', page.name)
  const to = join('dist/web', page.name)
  mkdirSync(to, { recursive: true })
  if (existsSync(join(from, 'main.ts')))
    await build({
      entryPoints: [join(from, 'main.ts')],
      outfile: join(to, 'main.js'),
      bundle: true,
      minify: true,
      platform: 'browser',
      target: 'es2022',
      format: 'esm',
      logLevel: 'warning',
    })
  for (const file of readdirSync(from))
    if (!file.endsWith('.ts') && file !== 'tsconfig.json') cpSync(join(from, file), join(to, file))
}

/** The documentation pages show our documents with libraries that bring their own assets. */
const docs = join('dist', 'web', 'docs')
mkdirSync(docs, { recursive: true })
const assets = {
  'swagger-ui.css': 'swagger-ui-dist/swagger-ui.css',
  'swagger-ui-bundle.js': 'swagger-ui-dist/swagger-ui-bundle.js',
  'asyncapi.css': '@asyncapi/react-component/styles/default.min.css',
  'asyncapi.js': '@asyncapi/react-component/browser/standalone/index.js',
}
for (const [name, source] of Object.entries(assets)) {
  const target = join(docs, name)
  if (!existsSync(target)) cpSync(require.resolve(source), target)
}
