// PDFs are made beside the event loop, in bounds: so many at once, so many waiting, so long, so large.
import type { Transcript } from '../../src/transcript/transcript'
import { TranscriptForms } from '../../src/transcript/transcript-forms'
import type { PressLimits } from '../../src/transcript/press'
import type { PictureSource } from '../../src/transcript/pictures'
import sharp from 'sharp'
import { readPdf } from '../support/pdf'
import { bytesOf, lineOf, transcriptOf } from '../support/transcripts'

jest.setTimeout(90_000)
const open: TranscriptForms[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((forms) => forms.close()))
})
function pressWith(limits: Partial<PressLimits>, pictures?: PictureSource) {
  const forms = new TranscriptForms({ limits, ...(pictures ? { pictures } : {}) })
  open.push(forms)
  const print = async (transcript: Transcript) => (await forms.render(transcript, { form: 'pdf' })).body
  return { forms, print }
}
const short = transcriptOf([lineOf('hello')])
const long = (messages: number) =>
  transcriptOf(Array.from({ length: messages }, (_, i) => lineOf(`message ${i} of a long conversation`)))
const withPicture = transcriptOf([
  lineOf('look', { attachments: [{ type: 'image/png', name: 'a.png', contentUrl: 'https://example.org/a.png' }] }),
])
/** A picture that is not there before it is let go: whoever waits for it keeps the process. */
function heldPicture() {
  let release = () => {}
  const released = new Promise<null>((resolve) => (release = () => resolve(null)))
  let asked = () => {}
  const wasAsked = new Promise<void>((resolve) => (asked = resolve))
  const source: PictureSource = () => {
    asked()
    return released
  }
  return { source, release, wasAsked }
}

it('refuses more than may wait, retryably, and takes more when there is room', async () => {
  const { source, release, wasAsked } = heldPicture()
  const { print } = pressWith({ processes: 1, queue: 1 }, source)
  const first = print(withPicture)
  await wasAsked
  const second = print(short)
  await expect(print(short)).rejects.toMatchObject({ code: 'unavailable', retryAfter: 5 })
  release()
  for (const body of [await first, await second, await print(short)])
    expect((await bytesOf(body)).subarray(0, 5).toString()).toBe('%PDF-')
})
it('ends what takes too long with a sentence, and makes the next one in another process', async () => {
  const { source, wasAsked } = heldPicture()
  const { print } = pressWith({ processes: 1, timeMs: 4_000 }, source)
  const stuck = print(withPicture)
  await wasAsked
  await expect(stuck).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('too long') as string,
  })
  expect((await readPdf(await bytesOf(await print(short)))).pages).toHaveLength(1)
})
it('ends what does not even begin in time', async () => {
  const { print } = pressWith({ timeMs: 1 })
  await expect(print(short)).rejects.toMatchObject({ code: 'unavailable' })
})
it('ends what needs too much memory with a sentence, and lives on', async () => {
  const { print } = pressWith({ processes: 1, memoryMb: 24 })
  const huge = transcriptOf(Array.from({ length: 30_000 }, (_, i) => lineOf(`${i} ${'x'.repeat(1_500)}`)))
  await expect(print(huge)).rejects.toMatchObject({
    code: 'tooLarge',
    message: expect.stringMatching(/Ask for/) as string,
  })
})
it('makes a document of 5 000 messages with pictures in a bounded heap', async () => {
  const picture = await sharp({ create: { width: 120, height: 90, channels: 3, background: '#8a8' } })
    .jpeg()
    .toBuffer()
  let shown = 0
  const { print } = pressWith({ processes: 1, memoryMb: 160, timeMs: 80_000 }, async () => {
    shown++
    return picture
  })
  const attachments = [{ type: 'image/png', name: 'a.png', contentUrl: 'https://example.org/a.png', size: 1_234 }]
  const entries = Array.from({ length: 5_000 }, (_, i) => lineOf(`message ${i}`, { seq: i + 1, attachments }))
  let bytes = 0
  for await (const chunk of (await print(transcriptOf(entries))) as AsyncIterable<Uint8Array>) bytes += chunk.byteLength
  expect(shown).toBe(5_000)
  expect(bytes).toBeGreaterThan(5_000 * 500)
})
it('waits for a reader who is slower, and gives them the whole document', async () => {
  const { print } = pressWith({ processes: 1, heldBytes: 64 * 1024 })
  const body = await print(long(3_000))
  expect(body.readableLength).toBeLessThan(3 * 1024 * 1024)
  const { pages } = await readPdf(await bytesOf(body))
  expect(pages.at(-1)!.lines.join(' ')).toContain('sha256:')
})
it('gives the process to others when a reader goes away', async () => {
  const { print } = pressWith({ processes: 1, heldBytes: 64 * 1024 })
  const body = await print(long(3_000))
  body.on('error', () => undefined).destroy()
  expect((await readPdf(await bytesOf(await print(short)))).pages).toHaveLength(1)
})
it('ends what is under way and what waits when it closes, and takes nothing more', async () => {
  const { source, wasAsked } = heldPicture()
  const { forms, print } = pressWith({ processes: 1 }, source)
  const both = Promise.allSettled([print(withPicture), print(short)])
  await wasAsked
  await forms.close()
  for (const one of await both) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
  await expect(print(short)).rejects.toMatchObject({ code: 'unavailable' })
})
