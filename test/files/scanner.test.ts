// A virus scanner at work, away, late, and out of its mind: only its yes is a yes.
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { ClamdScanner } from '../../src/files/scanner'
import { Clamd, VIRUS } from '../support/clamd'
import { newFolder } from '../support/databases'

const refusedForNow = { code: 'unavailable', retryable: true }

describe('a virus scanner', () => {
  let clamd: Clamd
  let scanner: ClamdScanner
  beforeEach(async () => {
    clamd = await Clamd.start()
    scanner = new ClamdScanner({ url: clamd.url })
  })
  afterEach(() => clamd.close())
  const scan = (...chunks: Buffer[]) => scanner.scan(Readable.from(chunks))

  it('sees all of a file, and lets it pass when it finds nothing', async () => {
    await scan(randomBytes(100_000), Buffer.alloc(0), randomBytes(2_000_000), Buffer.from('x'))
    expect(clamd.seen).toEqual([2_100_001])
  })
  it('is asked over a unix socket too', async () => {
    const folder = await newFolder()
    const local = await Clamd.start(join(folder, 'clamd.ctl'))
    await new ClamdScanner({ url: local.url }).scan(Readable.from([Buffer.from('hello')]))
    expect(local.seen).toEqual([5])
    await local.close()
    await rm(folder, { recursive: true })
  })
  it('has a file refused in which it finds something, however it is cut', async () => {
    const refused = { code: 'invalidRequest', retryable: false }
    await expect(scan(Buffer.from(`before ${VIRUS} behind`))).rejects.toMatchObject(refused)
    await expect(scan(Buffer.from(VIRUS.slice(0, 9)), Buffer.from(VIRUS.slice(9)))).rejects.toMatchObject(refused)
  })
  it('has a file refused that is larger than it takes', async () => {
    clamd.maxBytes = 1_000
    await expect(scan(randomBytes(600), randomBytes(600))).rejects.toMatchObject({ code: 'tooLarge' })
  })
  it.each(['hangsUp', 'babbles'] as const)('that %s has a file refused for now', async (behaviour) => {
    clamd.behaviour = behaviour
    await expect(scan(randomBytes(100_000))).rejects.toMatchObject(refusedForNow)
  })
  it('that gives no answer has a file refused for now, when its time is over', async () => {
    clamd.behaviour = 'hangs'
    scanner = new ClamdScanner({ url: clamd.url, timeoutMs: 100 })
    await expect(scan(randomBytes(100))).rejects.toMatchObject(refusedForNow)
  })
  it('that is away has a file refused for now, and let go of', async () => {
    await clamd.close()
    const bytes = Readable.from([Buffer.from('x')])
    await expect(scanner.scan(bytes)).rejects.toMatchObject(refusedForNow)
    expect(bytes.destroyed).toBe(true)
    clamd = await Clamd.start()
  })
  it('is asked no longer when whoever asked goes away', async () => {
    const leaving = new AbortController()
    const stalled = new PassThrough()
    const scanning = scanner.scan(stalled, leaving.signal)
    const reason = new Error('gone')
    leaving.abort(reason)
    await expect(scanning).rejects.toBe(reason)
    expect(stalled.destroyed).toBe(true)
  })
  it('is not asked to the end about a file that breaks off', async () => {
    async function* breaking() {
      yield randomBytes(1_000)
      throw new Error('lost')
    }
    await expect(scanner.scan(Readable.from(breaking()))).rejects.toMatchObject(refusedForNow)
    expect(clamd.seen).toEqual([])
  })
  it.each(['', 'http://x:1', 'tcp://x', 'tcp://x:99999', 'unix:relative', 'tcp://user:secret@x:1'])(
    'cannot be at %j, and the refusal does not repeat it',
    (url) => {
      const make = () => new ClamdScanner({ url })
      expect(make).toThrow(expect.objectContaining({ code: 'invalidRequest' }) as Error)
      expect(make).not.toThrow(/secret/)
    },
  )
})
