// Files that people send, over real HTTP to a real folder: what arrives whole is kept and served, and of anything else nothing is left.
import { createHash, randomBytes } from 'node:crypto'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import sharp from 'sharp'
import { ClamdScanner } from '../../src/files/scanner'
import { newConversationId, newFileId } from '../../src/model/new-id'
import type { FileRow } from '../../src/store/file-store'
import { Clamd, VIRUS } from '../support/clamd'
import { eventually } from '../support/eventually'
import { filePart, RawUpload } from '../support/file-server'
import { ann, place, tenant, useFiles } from '../support/use-files'

const noise = (width: number, height: number) =>
  sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()

describe('files', () => {
  const under = useFiles()
  const { send, get, onDisk, nothingIsLeft, restart } = under
  const store = () => under.database.database.files
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer())

  it('are kept as they were sent, with what they are, and served with a small picture', async () => {
    const bytes = await noise(700, 500)
    const { status, body } = await send(bytes, '../Füße.png')
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(status).toBe(201)
    expect(body).toMatchObject({ ...place, participantId: ann, name: 'Füße.png', mediaType: 'image/png', sha256 })
    expect(body).toMatchObject({ size: bytes.length, width: 700, height: 500, state: 'ready' })
    expect(await under.files.find(tenant, body.id)).toEqual(body)
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
    expect(await under.files.open('other' as typeof tenant, id, asked)).toBeNull()
    expect(await under.files.find('other' as typeof tenant, id)).toBeNull()
  })
  it('are files also when they are pictures that cannot be read', async () => {
    const broken = (await noise(100, 100)).subarray(0, 2_000)
    const { status, body } = await send(broken)
    expect(status).toBe(201)
    expect(body).toMatchObject({ mediaType: 'image/png', width: null, height: null, thumbnail: null })
    expect((await bytesOf(await get('original', body.id))).equals(broken)).toBe(true)
  })
  it('are served in the encoding of their byte order mark', async () => {
    const bytes = Buffer.from('\uFEFFGrüße, 東京', 'utf16le')
    const { body } = await send(bytes, 'notes.txt')
    expect(body).toMatchObject({ name: 'notes.txt', mediaType: 'text/plain; charset=utf-16' })
    const answer = await get('original', body.id)
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-16')
    expect((await bytesOf(answer)).equals(bytes)).toBe(true)
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
    await under.files.erase(place)
    expect((await send('hello', 'x.txt')).status).toBe(201)
  })
  it('wait for their turn while many arrive at once, and are all taken', async () => {
    await restart({ maxUploads: 2 })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(`hello ${i}`, 'x.txt')))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  })
  it('are refused when too many wait already', async () => {
    await restart({ maxUploads: 1, maxWaiting: 0 })
    const first = new RawUpload(under.server.port).head().write(filePart('x.txt')).write('hel')
    await eventually(async () => expect(await send('hello', 'x.txt')).toMatchObject({ status: 429 }))
    first.write('lo\r\n--b--\r\n').end()
    await eventually(async () => expect((await send('hello', 'x.txt')).status).toBe(201))
    first.socket.destroy()
  })
  it('are refused when their turn does not come in time, and taken when it is sent again', async () => {
    await restart({ maxUploads: 1, turnMs: 50 })
    const first = new RawUpload(under.server.port).head().write(filePart('x.txt')).write('hel')
    const refused = { status: 429, body: { code: 'tooManyRequests' } }
    await eventually(async () => expect(await send('hello', 'x.txt')).toMatchObject(refused))
    first.write('lo\r\n--b--\r\n').end()
    expect((await first.answer).status).toBe(201)
    expect((await send('hello', 'x.txt')).status).toBe(201)
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

  it('of an erased conversation are gone at once, with their bytes', async () => {
    const { id } = (await send(await noise(50, 50))).body
    const other = (await send('other', 'x.txt')).body
    await under.files.erase({ ...place, conversationId: newConversationId() })
    expect((await get('original', other.id)).status).toBe(200)
    await under.files.erase(place)
    for (const variant of ['original', 'thumbnail']) expect((await get(variant, id)).status).toBe(404)
    await nothingIsLeft()
  })
  it('that arrive while their conversation is erased are not kept', async () => {
    const upload = new RawUpload(under.server.port).head().write(filePart('x.txt')).write('a'.repeat(100_000))
    await eventually(async () => expect(await onDisk()).toHaveLength(1))
    await under.files.erase(place)
    upload.write('hello\r\n--b--\r\n').end()
    expect((await upload.answer).status).toBe(404)
    await nothingIsLeft()
  })
  it('that arrive when the gateway stops are refused for now, and nothing is left', async () => {
    const upload = new RawUpload(under.server.port).head().write(filePart('x.txt')).write('a'.repeat(100_000))
    await eventually(async () => expect(await onDisk()).toHaveLength(1))
    await under.files.close()
    await nothingIsLeft()
    expect((await upload.answer).status).toBe(503)
    const late = under.files.upload(place, ann, { stream: new PassThrough(), headers: {} })
    await expect(late).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  })
  it('that a dead process left half are swept away once they are old, and nothing else is', async () => {
    const kept = (await send('kept', 'x.txt')).body
    const abandoned: FileRow = { ...kept, id: newFileId(), state: 'uploading' }
    await store().add(abandoned, { files: 100, bytes: 1_000_000_000 })
    await under.vault.write(abandoned.id, PassThrough.from([Buffer.from('half')]), { maxBytes: 10 })
    const temporary = join(under.folder, 'unfinished', 'left')
    await writeFile(temporary, 'half')
    await utimes(temporary, under.database.clock.now(), under.database.clock.now())
    await under.files.sweep()
    expect(await store().find(tenant, abandoned.id)).not.toBeNull()
    under.database.clock.forward(2 * 3_600_000)
    await under.files.sweep()
    expect(await onDisk()).toEqual([kept.id])
    expect(await store().ofConversation(tenant, place.conversationId)).toEqual([kept])
  })
  it('whose bytes could not be deleted are invisible, and deleted by the next sweep', async () => {
    const { id } = (await send('secret', 'x.txt')).body
    const remove = under.vault.remove.bind(under.vault)
    under.vault.remove = () => Promise.reject(new Error('away'))
    await expect(under.files.erase(place)).rejects.toThrow('away')
    expect((await get('original', id)).status).toBe(404)
    under.vault.remove = remove
    under.database.clock.forward(2 * 3_600_000)
    await under.files.sweep()
    await nothingIsLeft()
  })
})
