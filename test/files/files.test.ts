// Files that people send, over real HTTP to a real folder: what arrives whole is kept and served, and of anything else nothing is left.
import { createHash, randomBytes } from 'node:crypto'
import { readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import sharp from 'sharp'
import { DiskVault } from '../../src/files/disk-vault'
import { Files, type FileOptions } from '../../src/files/files'
import { ClamdScanner } from '../../src/files/scanner'
import { Thumbnails } from '../../src/files/thumbnail'
import { DEFAULT_TENANT } from '../../src/model/ids'
import { newConversationId, newFileId, newParticipantId } from '../../src/model/new-id'
import type { FileRow } from '../../src/store/file-store'
import { Clamd, VIRUS } from '../support/clamd'
import { newFolder, openTestSqlite, type TestDatabase } from '../support/databases'
import { eventually } from '../support/eventually'
import { filePart, FileServer, RawUpload } from '../support/file-server'

const tenant = DEFAULT_TENANT
const place = { tenant, conversationId: newConversationId() }
const ann = newParticipantId()
const noise = (width: number, height: number) =>
  sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()

describe('files', () => {
  let database: TestDatabase
  let folder: string
  let vault: DiskVault
  let files: Files
  let server: FileServer
  const faults: unknown[] = []
  beforeAll(async () => {
    database = await openTestSqlite()
  })
  afterAll(() => database.close())
  beforeEach(async () => {
    folder = await newFolder()
    vault = await DiskVault.open({ folder })
    files = new Files(depsWith({}))
    server = await FileServer.start(files, place, ann)
  })
  afterEach(async () => {
    await server.close()
    await files.close()
    await database.database.files.erase(tenant, place.conversationId)
    for (const row of await store().ofConversation(tenant, place.conversationId)) await store().remove(tenant, row.id)
    await vault.close()
    await rm(folder, { recursive: true })
    expect(faults.splice(0)).toEqual([])
  })
  const store = () => database.database.files
  const depsWith = (options: FileOptions, more: Partial<ConstructorParameters<typeof Files>[0]> = {}) => ({
    ...{ store: store(), vault, thumbnails: new Thumbnails(), scanner: null, tenant, now: database.clock.now },
    onFault: (cause: unknown) => faults.push(cause),
    options,
    ...more,
  })
  const restart = async (...deps: Parameters<typeof depsWith>) => {
    await server.close()
    await files.close()
    files = new Files(depsWith(...deps))
    server = await FileServer.start(files, place, ann)
  }
  const send = async (bytes: Buffer | string, name = 'cat.png') => {
    const form = new FormData()
    form.append('note', 'skipped')
    form.append('file', new Blob([Buffer.from(bytes)]), name)
    const answer = await fetch(server.url, { method: 'POST', body: form })
    return { status: answer.status, body: (await answer.json()) as FileRow & { code?: string } }
  }
  const get = (variant: string, id: string, init: RequestInit = {}) => fetch(`${server.url}/${variant}/${id}`, init)
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer())
  const onDisk = async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  }
  const nothingIsLeft = () =>
    eventually(async () => {
      expect(await onDisk()).toEqual([])
      expect(await store().ofConversation(tenant, place.conversationId)).toEqual([])
    })

  it('are kept as they were sent, with what they are, and served with a small picture', async () => {
    const bytes = await noise(700, 500)
    const { status, body } = await send(bytes, '../Füße.png')
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(status).toBe(201)
    expect(body).toMatchObject({ ...place, participantId: ann, name: 'Füße.png', mediaType: 'image/png', sha256 })
    expect(body).toMatchObject({ size: bytes.length, width: 700, height: 500, state: 'ready' })
    expect(await files.find(tenant, body.id)).toEqual(body)
    const whole = await get('original', body.id)
    expect(whole.headers.get('content-disposition')).toBe(
      `inline; filename="F__e.png"; filename*=UTF-8''F%C3%BC%C3%9Fe.png`,
    )
    expect((await bytesOf(whole)).equals(bytes)).toBe(true)
    const small = await get('thumbnail', body.id)
    expect(small.headers.get('content-type')).toBe('image/jpeg')
    expect(small.headers.get('content-disposition')).toContain('filename="F__e.png.jpg"')
    expect(await sharp(await bytesOf(small)).metadata()).toMatchObject({ width: 320 })
    expect(await onDisk()).toHaveLength(2)
  })
  it('are served in part, by their head, and not again to whoever has them', async () => {
    const bytes = Buffer.from('0123456789')
    const { id, sha256 } = (await send(bytes, 'x.txt')).body
    const part = await get('original', id, { headers: { range: 'bytes=2-4', 'if-range': `"${sha256}"` } })
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, '234', 'bytes 2-4/10'])
    const head = await get('original', id, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '10', ''])
    const beyond = await get('original', id, { headers: { range: 'bytes=10-' } })
    expect([beyond.status, await beyond.text()]).toEqual([416, ''])
    expect((await get('original', id, { headers: { 'if-none-match': `"${sha256}"` } })).status).toBe(304)
    expect((await get('thumbnail', id)).status).toBe(404)
    expect((await get('original', newFileId())).status).toBe(404)
  })
  it('are there for their tenant only', async () => {
    const { id } = (await send('hello', 'x.txt')).body
    const asked = { variant: 'original', method: 'GET', conditions: {} } as const
    expect(await files.open('other' as typeof tenant, id, asked)).toBeNull()
    expect(await files.find('other' as typeof tenant, id)).toBeNull()
  })
  it('are files also when they are pictures that cannot be read', async () => {
    const broken = (await noise(100, 100)).subarray(0, 2_000)
    const { status, body } = await send(broken)
    expect(status).toBe(201)
    expect(body).toMatchObject({ mediaType: 'image/png', width: null, height: null, thumbnail: null })
    expect((await bytesOf(await get('original', body.id))).equals(broken)).toBe(true)
  })
  it('row 27: are never served as something that runs, whatever they were called', async () => {
    const { body } = await send('just words', 'evil.html')
    expect(body).toMatchObject({ name: 'evil.html.txt', mediaType: 'text/plain' })
    const { headers } = await get('original', body.id)
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="evil\.html\.txt"/)
    for (const name of ['x.svg', 'x.png', 'x.txt'])
      expect(await send('<svg onload="alert(1)"/>', name)).toMatchObject({ status: 415 })
    expect(await onDisk()).toHaveLength(1)
  })

  it('are refused when they are empty, of no kind that is taken, or stop being text far behind; nothing is left', async () => {
    expect(await send('')).toMatchObject({ status: 400 })
    expect(await send(randomBytes(1_000))).toMatchObject({ status: 415 })
    expect(await send(Buffer.concat([Buffer.alloc(200_000, 'a'), Buffer.from([0])]), 'x.txt')).toMatchObject({
      status: 415,
    })
    await nothingIsLeft()
  })
  it('are refused when one is too large by a byte', async () => {
    await restart({ maxBytes: 100_000 })
    expect(await send('a'.repeat(100_001), 'x.txt')).toMatchObject({ status: 413, body: { code: 'tooLarge' } })
    await nothingIsLeft()
    expect(await send('a'.repeat(100_000), 'x.txt')).toMatchObject({ status: 201 })
  })
  it('are refused when the conversation holds as many as it may, and taken again when it is erased', async () => {
    await restart({ maxBytes: 1_000, perConversation: { files: 2, bytes: 10_000 } })
    for (const status of [201, 201, 413]) expect((await send('hello', 'x.txt')).status).toBe(status)
    await files.erase(place)
    expect((await send('hello', 'x.txt')).status).toBe(201)
  })
  it('are refused while too many arrive at once', async () => {
    await restart({ maxUploads: 1 })
    const first = new RawUpload(server.port).head().write(filePart('x.txt')).write('hel')
    await eventually(async () => expect(await send('hello', 'x.txt')).toMatchObject({ status: 429 }))
    first.write('lo\r\n--b--\r\n').end()
    await eventually(async () => expect((await send('hello', 'x.txt')).status).toBe(201))
    first.socket.destroy()
  })

  describe('that a scanner looks at', () => {
    let clamd: Clamd
    beforeEach(async () => {
      clamd = await Clamd.start()
      await restart({}, { scanner: new ClamdScanner({ url: clamd.url }) })
    })
    afterEach(() => clamd.close())

    it('are seen by it whole, and kept when it finds nothing', async () => {
      expect((await send('a'.repeat(300_000), 'x.txt')).status).toBe(201)
      expect(clamd.seen).toEqual([300_000])
    })
    it('are not kept when it finds something', async () => {
      expect(await send(`words ${VIRUS}`, 'x.txt')).toMatchObject({ status: 400, body: { code: 'invalidRequest' } })
      await nothingIsLeft()
    })
    it('are refused for now while it is not to be had', async () => {
      clamd.behaviour = 'hangsUp'
      expect(await send('hello', 'x.txt')).toMatchObject({ status: 503, body: { code: 'unavailable' } })
      await nothingIsLeft()
      clamd.behaviour = 'scans'
      expect((await send('hello', 'x.txt')).status).toBe(201)
    })
  })

  describe('row 24: hostile forms', () => {
    beforeEach(() => restart({ maxBytes: 200_000, idleMs: 300, totalMs: 1_500 }))
    const raw = () => new RawUpload(server.port).head()
    const refused = async (upload: RawUpload, status: number) => {
      expect((await upload.answer).status).toBe(status)
      await nothingIsLeft()
    }

    it('row 24: a form without an end is refused, though its file has come whole', async () => {
      await refused(
        raw()
          .write(`${filePart('x.txt')}hello\r\n--b\r\n`)
          .end(),
        400,
      )
      await refused(
        raw()
          .write(`${filePart('x.txt')}hello`)
          .end(),
        400,
      )
    })
    it('row 24: ten thousand parts are refused', async () => {
      const field = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
      await refused(
        raw()
          .write(`${filePart('x.txt')}hello\r\n${field.repeat(10_000)}--b--\r\n`)
          .end(),
        400,
      )
      const empty = '--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n\r\n'
      await refused(
        raw()
          .write(`${empty.repeat(10_000)}--b--\r\n`)
          .end(),
        400,
      )
    })
    it('row 24: a second file is refused, and the first is not kept', async () => {
      await refused(
        raw()
          .write(`${filePart('x.txt')}one\r\n${filePart('y.txt')}two\r\n--b--\r\n`)
          .end(),
        400,
      )
    })
    it('row 24: names of fields that would nest mean nothing', async () => {
      const nested = `--b\r\nContent-Disposition: form-data; name="a${'[b]'.repeat(2_000)}"\r\n\r\n1\r\n`
      const proto = '--b\r\nContent-Disposition: form-data; name="__proto__[polluted]"\r\n\r\n1\r\n'
      const upload = raw()
        .write(`${nested}${proto}${filePart('x.txt')}hello\r\n--b--\r\n`)
        .end()
      await eventually(async () => expect(await onDisk()).toHaveLength(1))
      upload.socket.end()
      expect((await upload.answer).status).toBe(201)
      expect(({} as { polluted?: string }).polluted).toBeUndefined()
    })
    it('row 24: a head of a part without an end is refused', async () => {
      await refused(
        raw()
          .write(`--b\r\nContent-Disposition: form-data; name="${'a'.repeat(150_000)}`)
          .end(),
        400,
      )
    })
    it('row 24: too much is refused while it comes, wherever in the form it stands, and however it is announced', async () => {
      const much = 'a'.repeat(300_000)
      await refused(raw().write(filePart('x.txt')).write(much), 413)
      await refused(raw().write(much), 413)
      await refused(
        raw()
          .write(`${filePart('x.txt')}hello\r\n--b--\r\n`)
          .write(much),
        413,
      )
      const announced = new RawUpload(server.port)
      const head = 'Host: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000000'
      announced.socket.write(`POST / HTTP/1.1\r\n${head}\r\n\r\n`)
      await refused(announced, 413)
    })
    it('row 24: whoever falls silent is refused, before the file, in it, and behind it', async () => {
      await refused(raw(), 408)
      await refused(raw().write(filePart('x.txt')).write('hello'), 408)
      await refused(raw().write(`${filePart('x.txt')}hello\r\n--b--\r\n`), 408)
    })
    it('row 24: whoever sends a byte now and then is refused, when their time is over', async () => {
      const upload = raw().write(filePart('x.txt'))
      const trickle = setInterval(() => upload.write('a'), 50)
      await refused(upload, 408)
      clearInterval(trickle)
    })
    it('row 24: whoever hangs up amid a file leaves nothing behind', async () => {
      const upload = raw().write(filePart('x.txt')).write('a'.repeat(100_000))
      await eventually(async () => expect(await onDisk()).toHaveLength(1))
      upload.socket.destroy()
      await nothingIsLeft()
    })
    it.each([
      ['no form', 'text/plain', 415],
      ['a form of another kind', 'application/x-www-form-urlencoded', 415],
      ['a form without a boundary', 'multipart/form-data', 400],
    ])('row 24: %s is refused', async (_, type, status) => {
      const answer = await fetch(server.url, { method: 'POST', body: 'hello', headers: { 'content-type': type } })
      expect(answer.status).toBe(status)
      await nothingIsLeft()
    })
    it('row 24: a form without a file is refused', async () => {
      await refused(raw().write('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n').end(), 400)
    })
    it('row 24: after all that, a file is taken', async () => {
      expect((await send('hello', 'x.txt')).status).toBe(201)
    })
  })

  it('of an erased conversation are gone at once, with their bytes', async () => {
    const { id } = (await send(await noise(50, 50))).body
    const other = (await send('other', 'x.txt')).body
    await files.erase({ ...place, conversationId: newConversationId() })
    expect((await get('original', other.id)).status).toBe(200)
    await files.erase(place)
    for (const variant of ['original', 'thumbnail']) expect((await get(variant, id)).status).toBe(404)
    await nothingIsLeft()
  })
  it('that arrive while their conversation is erased are not kept', async () => {
    const upload = new RawUpload(server.port)
      .head()
      .write(`${filePart('x.txt')}`)
      .write('a'.repeat(100_000))
    await eventually(async () => expect(await onDisk()).toHaveLength(1))
    await files.erase(place)
    upload.write('hello\r\n--b--\r\n').end()
    expect((await upload.answer).status).toBe(404)
    await nothingIsLeft()
  })
  it('that arrive when the gateway stops are refused for now, and nothing is left', async () => {
    const upload = new RawUpload(server.port).head().write(filePart('x.txt')).write('a'.repeat(100_000))
    await eventually(async () => expect(await onDisk()).toHaveLength(1))
    await files.close()
    await nothingIsLeft()
    expect((await upload.answer).status).toBe(503)
    const late = files.upload(place, ann, { stream: new PassThrough(), headers: {} })
    await expect(late).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  })
  it('that a dead process left half are swept away once they are old, and nothing else is', async () => {
    const kept = (await send('kept', 'x.txt')).body
    const abandoned: FileRow = { ...kept, id: newFileId(), state: 'uploading' }
    await store().add(abandoned, { files: 100, bytes: 1_000_000_000 })
    await vault.write(abandoned.id, PassThrough.from([Buffer.from('half')]), { maxBytes: 10 })
    const temporary = join(folder, 'unfinished', 'left')
    await writeFile(temporary, 'half')
    await utimes(temporary, database.clock.now(), database.clock.now())
    await files.sweep()
    expect(await store().find(tenant, abandoned.id)).not.toBeNull()
    database.clock.forward(2 * 3_600_000)
    await files.sweep()
    expect(await onDisk()).toEqual([kept.id])
    expect(await store().ofConversation(tenant, place.conversationId)).toEqual([kept])
  })
  it('whose bytes could not be deleted are invisible, and deleted by the next sweep', async () => {
    const { id } = (await send('secret', 'x.txt')).body
    const remove = vault.remove.bind(vault)
    vault.remove = () => Promise.reject(new Error('away'))
    await expect(files.erase(place)).rejects.toThrow('away')
    expect((await get('original', id)).status).toBe(404)
    vault.remove = remove
    database.clock.forward(2 * 3_600_000)
    await files.sweep()
    await nothingIsLeft()
  })
})
