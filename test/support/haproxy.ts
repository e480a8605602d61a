// A real HAProxy with the configuration of docker-compose.yml, in front of gateways of the test instead of those in containers.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { foundOrInstalled } from './debian'
import { eventually } from './eventually'
import { fixedPort } from './process'

const run = promisify(execFile)
const CONFIGURATION = join(__dirname, '../../haproxy.cfg')

/** What HAProxy itself says of the configuration as it is: its exit code and its complaints. */
export async function checkConfiguration(): Promise<string> {
  const { stdout, stderr } = await run(findProgram(), ['-c', '-f', CONFIGURATION])
  return `${stdout}${stderr}`
}

/**
 * @param gateways ports on the loopback, by the names that the configuration gives them
 * @param changes what else stands in the configuration, and what stands there instead
 */
export async function startProxy(
  gateways: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string>> = {},
) {
  const port = await fixedPort()
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-proxy-'))
  const file = join(folder, 'haproxy.cfg')
  let text = exchanged(readFileSync(CONFIGURATION, 'utf8'), 'bind :8080', `bind 127.0.0.1:${port}`)
  for (const [name, at] of Object.entries(gateways)) text = exchanged(text, ` ${name}:8080`, ` 127.0.0.1:${at}`)
  for (const [what, by] of Object.entries(changes)) text = exchanged(text, what, by)
  await writeFile(file, text)
  const child = spawn(findProgram(), ['-db', '-f', file], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    await rm(folder, { recursive: true })
  }
  try {
    await eventually(async () => (await fetch(`${url}/health/ready`)).status === 200, 20_000)
  } catch (cause) {
    await close()
    throw cause
  }
  return { url, close }
}
function exchanged(text: string, what: string, by: string): string {
  if (!text.includes(what)) throw new Error(`haproxy.cfg has no "${what}" any more.`)
  return text.replaceAll(what, by)
}

/** On the PATH or where Debian puts it, installed where that may be done. The package's own service is not needed. */
function findProgram(): string {
  return foundOrInstalled(onPath, 'haproxy', 'The test of the proxy needs HAProxy 2.6 or newer: install it.')
}
const onPath = (): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
    .map((folder) => join(folder, 'haproxy'))
    .find((program) => existsSync(program))
