// A vault in a folder: the contract, and what only a disk can get wrong.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { DiskVault } from '../../src/files/disk-vault'
import { newId } from '../../src/model/new-id'
import { vaultContract } from '../contracts/vault.contract'
import { newFolder } from '../support/databases'

const PLENTY = { maxBytes: 100_000_000 }
const filesIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
}

vaultContract('disk', async () => {
  const folder = await newFolder()
  const vault = await DiskVault.open({ folder: join(folder, 'files') })
  const close = async () => {
    await vault.close()
    await rm(folder, { recursive: true })
  }
  return { vault, inventory: () => filesIn(folder), close }
})

describe('a folder of files', () => {
  let parent: string
  let folder: string
  beforeEach(async () => {
    parent = await newFolder()
    folder = join(parent, 'files')
  })
  afterEach(() => rm(parent, { recursive: true }))

  it('can be read by nobody but its owner, whatever the umask', async () => {
    const before = process.umask(0)
    try {
      const vault = await DiskVault.open({ folder })
      await vault.write(newId(), Readable.from([Buffer.from('secret')]), PLENTY)
      await vault.close()
    } finally {
      process.umask(before)
    }
    const modes = async (path: string) => (await stat(path)).mode & 0o777
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    for (const entry of entries)
      expect([entry.name, await modes(join(entry.parentPath, entry.name))]).toEqual([
        entry.name,
        entry.isDirectory() ? 0o700 : 0o600,
      ])
    expect(await modes(folder)).toBe(0o700)
  })
  it('is spread over folders, so that none grows too large', async () => {
    const vault = await DiskVault.open({ folder })
    for (let i = 0; i < 40; i++) await vault.write(newId(), Readable.from([Buffer.from('x')]), PLENTY)
    expect((await readdir(folder)).length).toBeGreaterThan(20)
    await vault.close()
  })
  it('keeps files when it is opened again', async () => {
    const first = await DiskVault.open({ folder })
    const key = newId()
    await first.write(key, Readable.from([Buffer.from('kept')]), PLENTY)
    await first.close()
    const second = await DiskVault.open({ folder })
    expect((await buffer((await second.read(key))!.stream)).toString()).toBe('kept')
    await second.close()
  })
  it('loses what a process left behind that died, once that is old enough', async () => {
    const vault = await DiskVault.open({ folder })
    const [old, young] = ['old', 'young'].map((name) => join(folder, 'unfinished', name)) as [string, string]
    for (const path of [old, young]) await writeFile(path, 'half')
    await utimes(old, new Date(0), new Date(1_000))
    expect(await vault.sweep(new Date(2_000))).toBe(1)
    expect(await readdir(join(folder, 'unfinished'))).toEqual(['young'])
    expect(await vault.sweep(new Date(2_000))).toBe(0)
    await vault.close()
  })
  it('follows no link out of it', async () => {
    const vault = await DiskVault.open({ folder })
    const key = newId()
    await vault.write(key, Readable.from([Buffer.from('mine')]), PLENTY)
    const path = (await filesIn(folder))[0]!
    await rm(path)
    await symlink('/etc/passwd', path)
    await expect(vault.read(key)).rejects.toMatchObject({ code: 'unavailable' })
    await vault.close()
  })
  it('says so when it cannot be made', async () => {
    await writeFile(folder, 'a file in the way')
    await expect(DiskVault.open({ folder })).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('row 20: a full disk', () => {
  let folder = ''
  let vault: DiskVault
  beforeAll(async () => {
    if (process.getuid?.() !== 0) throw new Error('A disk of its own can only be made by root: run this test as root.')
    folder = await newFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'fairlead-test', folder])
    vault = await DiskVault.open({ folder: join(folder, 'files') })
  })
  afterAll(async () => {
    await vault.close()
    execFileSync('umount', [folder])
    await rm(folder, { recursive: true })
  })

  it('row 20: refuses a file for which there is no room, keeps no part of it, and takes it when there is room', async () => {
    const filler = join(folder, 'filler')
    await writeFile(filler, Buffer.alloc(600_000))
    const kept = newId()
    await vault.write(kept, Readable.from([Buffer.from('kept')]), PLENTY)
    const before = await filesIn(folder)
    const free = statfsSync(folder).bfree
    const bytes = randomBytes(700_000)
    const key = newId()
    const send = () => vault.write(key, Readable.from([bytes.subarray(0, 350_000), bytes.subarray(350_000)]), PLENTY)
    await expect(send()).rejects.toMatchObject({ code: 'storageFull', retryable: true, retryAfter: 60 })
    expect(await filesIn(folder)).toEqual(before)
    expect(statfsSync(folder).bfree).toBe(free)
    expect(await vault.read(key)).toBeNull()
    expect((await buffer((await vault.read(kept))!.stream)).toString()).toBe('kept')
    await rm(filler)
    expect(await send()).toMatchObject({ size: 700_000 })
    expect((await buffer((await vault.read(key))!.stream)).equals(bytes)).toBe(true)
  })
})
