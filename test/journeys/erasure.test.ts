// A customer who is erased is gone: from the database's file, the folder of files, open links, transcripts and the eyes of staff.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newFolder, openGateway, removeFolder } from '../support/gateway'
import { agentIn, customer, hire, login, post, request, say } from '../support/people'
import { bytesOf, png, upload } from '../support/uploading'

const WORDS = {
  ...{ firstName: 'Xaveria', lastName: 'Xylander', email: 'xaveria@xylophon.example', phone: '+4915199988877' },
  ...{ comment: 'xylophon-comment', text: 'xylophon-text', whisper: 'xylophon-whisper' },
  ...{ fileName: 'xylophon-notes.txt', inFile: 'xylophon-in-a-file', picture: 'xylophon.png' },
}
let dataDir: string
let gateway: Awaited<ReturnType<typeof openGateway>>
beforeAll(async () => {
  dataDir = await newFolder()
  gateway = await openGateway({}, { dataDir })
})
afterAll(async () => {
  await gateway.close()
  await removeFolder(dataDir)
})

/** Which of these stand in any file of the data folder. */
async function found(needles: readonly Uint8Array[]): Promise<string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const hits: string[] = []
  for (const file of files) {
    const bytes = await readFile(file)
    for (const needle of needles)
      if (bytes.includes(Buffer.from(needle))) hits.push(`${file}: ${Buffer.from(needle).toString().slice(0, 40)}`)
  }
  return hits
}

it('an erased customer cannot be found, by bytes, links, transcripts or staff, and others are as they were', async () => {
  const { text, whisper, fileName, inFile, picture, ...opening } = WORDS
  const supervisor = await login(gateway.url)
  const agent = await hire(gateway.url, 'bo')
  const ann = await customer(gateway.url, { refId: WORDS.phone, ...opening })
  const { conversationId, token } = ann
  const bo = await agentIn(gateway.url, conversationId, agent.token)
  const pixels = await png(400, 300)
  const notes = await upload(gateway.url, conversationId, token, { bytes: bytesOf(inFile), name: fileName })
  const drawn = await upload(gateway.url, conversationId, token, { bytes: pixels, name: picture })
  await ann.call('sendMessage', say(conversationId, text, { attachments: [notes.json, drawn.json] }))
  await bo.call('sendMessage', say(conversationId, whisper, { tag: 'whisper' }))
  const other = await customer(gateway.url, { firstName: 'Bystander' })
  const kept = await upload(gateway.url, other.conversationId, other.token, {
    bytes: bytesOf('kept'),
    name: 'kept.txt',
  })
  await ann.call('endConversation', { conversationId })
  const asked = (form: string, who: string) =>
    request(gateway.url, `/api/customer/transcript/${conversationId}/${form}`, {}, who)
  expect((await asked('pdf', token)).status).toBe(200)
  // What they are called and said, and the middle of their picture.
  const needles = [...Object.values(WORDS).map((word) => Buffer.from(word)), pixels.subarray(60, 160)]
  expect((await found(needles)).length).toBeGreaterThan(needles.length - 2)

  const erased = await post(gateway.url, '/api/admin/erasures', { channel: 'web', refId: WORDS.phone }, supervisor)
  expect(erased).toMatchObject({ status: 200, json: { erasure: { conversations: 1, files: 2 } } })
  expect(await found(needles)).toEqual([])
  for (const link of [notes.json.contentUrl, drawn.json.contentUrl, drawn.json.thumbnailUrl!])
    expect((await fetch(link)).status).toBe(404)
  for (const who of [token, supervisor]) expect((await asked('pdf', who)).status).toBe(404)
  const seen = await agentIn(gateway.url, conversationId, agent.token)
  expect(seen.bytes.join()).not.toMatch(/xylophon|Xaveria|Xylander/)
  expect((await fetch(kept.json.contentUrl)).status).toBe(200)

  await gateway.close()
  gateway = await openGateway({}, { dataDir })
  expect(await found(needles)).toEqual([])
  const later = await login(gateway.url, { username: 'bo', password: 'a password of twelve' })
  const again = await agentIn(gateway.url, conversationId, later)
  expect(again.bytes.join()).not.toMatch(/xylophon|Xaveria|Xylander/)
})
