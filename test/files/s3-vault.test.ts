// A vault in a bucket: the contract, and what only a store across a network can get wrong.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { S3Vault, type S3Options } from '../../src/files/s3-vault'
import { newId } from '../../src/model/new-id'
import { vaultContract } from '../contracts/vault.contract'
import { S3Server } from '../support/s3'

const MB = 1024 * 1024
const PLENTY = { maxBytes: 64 * MB }
const vaultOn = (server: S3Server, more: Partial<S3Options> = {}) => {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = server
  return new S3Vault({
    ...{ endpoint, bucket, accessKeyId, secretAccessKey, region: 'us-east-1', pathStyle: true, prefix: 'files/' },
    ...more,
  })
}
const inParts = () => Readable.from([randomBytes(6 * MB), randomBytes(6 * MB)], { objectMode: false })

vaultContract('S3', async () => {
  const server = await S3Server.start()
  const vault = vaultOn(server)
  const close = async () => {
    await vault.close()
    await server.close()
  }
  return { vault, inventory: () => server.inventory(), close }
})

describe('a bucket of files', () => {
  let server: S3Server
  let vault: S3Vault
  beforeEach(async () => {
    server = await S3Server.start()
    vault = vaultOn(server)
  })
  afterEach(async () => {
    await vault.close()
    await server.close()
  })

  it('is refused for now, and for no longer, while the store is away', async () => {
    server.fault = () => ({ status: 500, code: 'InternalError' })
    const key = newId()
    const write = () => vault.write(key, Readable.from([Buffer.from('x')]), PLENTY)
    const refused = { code: 'unavailable', retryable: true }
    await expect(write()).rejects.toMatchObject(refused)
    await expect(vault.read(key)).rejects.toMatchObject(refused)
    await expect(vault.remove(key)).rejects.toMatchObject(refused)
    server.fault = () => null
    await write()
    expect((await vault.read(key))?.size).toBe(1)
  })
  it('waits no longer than it was told for a store that hangs', async () => {
    const impatient = vaultOn(server, { timeoutMs: 100 })
    server.fault = () => 'hang'
    await expect(impatient.read(newId())).rejects.toMatchObject({ code: 'unavailable' })
    await expect(impatient.write(newId(), Readable.from([Buffer.from('x')]), PLENTY)).rejects.toMatchObject({
      code: 'unavailable',
    })
    await impatient.close()
  })
  it('repeats a request that failed once', async () => {
    let failures = 0
    server.fault = () => (failures++ === 0 ? { status: 500, code: 'InternalError' } : null)
    const key = newId()
    await vault.write(key, Readable.from([Buffer.from('x')]), PLENTY)
    expect((await vault.read(key))?.size).toBe(1)
  })
  it('row 20: says that there is no room, and leaves nothing behind', async () => {
    server.fault = ({ url }) => (url?.includes('partNumber=2') ? { status: 507, code: 'XMinioStorageFull' } : null)
    await expect(vault.write(newId(), inParts(), PLENTY)).rejects.toMatchObject({ code: 'storageFull' })
    expect(await server.inventory()).toEqual([])
  })
  it('leaves nothing of a file whose last request got no answer', async () => {
    server.fault = ({ method, url }) =>
      method === 'POST' && url?.includes('uploadId=') ? { status: 400, code: 'InvalidPart' } : null
    await expect(vault.write(newId(), inParts(), PLENTY)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await server.inventory()).toEqual([])
  })
  it('loses the uploads that a process left behind, once they are old enough', async () => {
    server.fault = ({ method, url }) =>
      url?.includes('partNumber=2') || method === 'DELETE' ? { status: 403, code: 'AccessDenied' } : null
    await expect(vault.write(newId(), inParts(), PLENTY)).rejects.toMatchObject({ code: 'unavailable' })
    server.fault = () => null
    expect(await server.inventory()).toHaveLength(1)
    expect(await vault.sweep(new Date(0))).toBe(0)
    expect(await vault.sweep(new Date(Date.now() + 60_000))).toBe(1)
    expect(await server.inventory()).toEqual([])
    expect(await vault.sweep(new Date(Date.now() + 60_000))).toBe(0)
  })
  it('tells nobody its keys when it fails', async () => {
    server.fault = () => ({ status: 403, code: 'AccessDenied' })
    const refusal: unknown = await vault.read(newId()).catch((cause: unknown) => cause)
    expect(refusal).toMatchObject({ code: 'unavailable' })
    expect((refusal as Error).message).not.toContain(server.secretAccessKey)
  })
})
