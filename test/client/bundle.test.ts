// The client stays small enough for anybody's page, and brings nothing of the server along.
import { build } from 'esbuild'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const LIMIT = 20 * 1024

it('fits into 20 KB with Socket.IO, minified and gzipped, without zod or Node', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(__dirname, '../../src/client/channel-client.ts')],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  })
  const inputs = Object.keys(metafile.inputs)
  expect(inputs.filter((path) => /zod|dialects|model|node:/.test(path))).toEqual([])
  const [bundle] = outputFiles
  const size = gzipSync(bundle!.contents).length
  console.info(`channel-client.js: ${size} bytes gzipped`)
  expect(size).toBeLessThanOrEqual(LIMIT)
})
