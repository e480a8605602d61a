// What files are opened with: they know when people talk, and so does who makes documents.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restAmid } from '../../src/aside/talk'
import { DEFAULT_KINDS } from '../../src/files/kinds'
import { openFiles } from '../../src/files/open-files'
import { openTestMemory } from '../support/databases'
import { open, said, tenant, write } from '../support/log-fixtures'

it('lets documents rest as soon as something was said in a conversation', async () => {
  const under = await openTestMemory()
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-'))
  const settings = { files: { s3: null, maxBytes: 1_000, kinds: DEFAULT_KINDS, clamdUrl: null }, dataDir }
  const onFault = jest.fn()
  const { rest, close } = await openFiles(settings, {
    ...{ database: under.database, tenant, now: () => new Date(), onFault },
  })
  expect(rest()).toBe(0)
  const store = under.database.conversations
  await write(store, await open(store, '+1'), said('hello'))
  // How much depends on the machine: see `restAmid`.
  expect(rest()).toBe(restAmid({ isTalk: true, areFilesComing: false }))
  expect(onFault).not.toHaveBeenCalled()
  await close()
  await under.close()
  await rm(dataDir, { recursive: true })
})
