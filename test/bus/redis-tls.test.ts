// Redis over TLS: nodes speak to an instance whose certificate they trust, and to no other.
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { RedisBus } from '../../src/bus/redis-bus'
import { RedisServer } from '../support/redis'

const ROOT = join(__dirname, '../..')
/** A node of its own, for whom to trust is settled when a process starts. */
const NODE = `
  const { RedisBus } = require('./dist/src/bus/redis-bus.js')
  const faults = []
  RedisBus.open({ urls: [process.argv[1]], onFault: (cause) => faults.push(cause.message) }).then(async (bus) => {
    console.log(JSON.stringify({ status: bus.health().status, faults }))
    await bus.close()
  })`

/** In front of a server: passes on at once what clients say, and what the server says only when it has said its last word. */
async function lateRelay(port: number): Promise<Server> {
  const relay = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const words: Buffer[] = []
    server.on('data', (bytes) => words.push(bytes))
    server.once('end', () => client.end(Buffer.concat(words)))
    client.on('data', (bytes) => {
      server.write(bytes)
      relay.emit('greeted')
    })
    client.once('end', () => server.end())
    client.once('close', () => relay.emit('left'))
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return relay
}

describe('a bus over TLS', () => {
  let server: RedisServer
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairlead-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      {
        stdio: 'ignore',
      },
    )
    server = await RedisServer.start({ password: 'hush', tls: { key, cert } })
  })
  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })
  async function nodeTrusting(certificates: string): Promise<unknown> {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificates }
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', NODE, server.url], { cwd: ROOT, env })
    return JSON.parse(stdout)
  }

  it('is well with a certificate that it trusts', async () => {
    expect(await nodeTrusting(join(folder, 'cert.pem'))).toEqual({ status: 'ok', faults: [] })
  })
  it('speaks to nobody whose certificate it does not trust', async () => {
    expect(await nodeTrusting('')).toEqual({
      status: 'degraded',
      faults: ['Redis cannot be used by the bus: DEPTH_ZERO_SELF_SIGNED_CERT'],
    })
  })
  it('is closed in peace while it is greeted by an instance that it does not trust', async () => {
    const url = new URL(server.url)
    const relay = await lateRelay(Number(url.port))
    url.port = String((relay.address() as AddressInfo).port)
    const twice = (what: string) => once(relay, what).then(() => once(relay, what))
    const greeted = twice('greeted')
    const bus = new RedisBus({ urls: [url.href] })
    await greeted
    const left = twice('left')
    await bus.close()
    await left
    relay.close()
    await once(relay, 'close')
  })
})
