// PDFs of conversations that the gateway does not read: their events go as they are stored to the process that makes them.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { GatewayError } from '../../src/model/errors'
import type { EventDraft } from '../../src/model/events'
import { hashOf } from '../../src/transcript/canonical'
import type { Audience } from '../../src/transcript/transcript'
import { TranscriptForms } from '../../src/transcript/transcript-forms'
import { Transcripts } from '../../src/transcript/transcripts'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { eventually } from '../support/eventually'
import { ann, ended, open, said, tenant, whispered, write } from '../support/log-fixtures'
import { readPdf, wordsOf } from '../support/pdf'
import { processesOf } from '../support/processes'
import { bytesOf } from '../support/transcripts'

let under: TestDatabase
let forms: TranscriptForms
beforeEach(async () => {
  under = await openTestMemory()
  forms = new TranscriptForms({ limits: { processes: 1 } })
})
afterEach(() => Promise.all([under.close(), forms.close()]))

async function conversationWith(...drafts: EventDraft[]) {
  const store = under.database.conversations
  const id = await open(store, '+1')
  await write(store, id, ...drafts, ended)
  return (await store.find(tenant, id))!
}
const transcripts = (maxEvents?: number) =>
  new Transcripts({ store: under.database.conversations, ...(maxEvents !== undefined && { maxEvents }) })
const wordsIn = async (body: Parameters<typeof bytesOf>[0]) => {
  const { pages } = await readPdf(await bytesOf(body))
  return wordsOf(pages.flatMap(({ lines }) => lines).join(''))
}

it.each<Audience>(['customer', 'staff'])('for %s says what the one says that was read here', async (audience) => {
  const lines = Array.from({ length: 120 }, (_, i) => said(`line ${i}`, i % 2 === 0 ? ann : undefined))
  const conversation = await conversationWith(...lines, whispered('between us'))
  const read = await transcripts().read(conversation, audience)
  const unread = await forms.print(transcripts().source(conversation, audience), { language: 'de' })
  const { body, ...labels } = await forms.render(read, { form: 'pdf', language: 'de' })
  expect(unread).toMatchObject(labels)
  expect(labels.etag).toContain(await hashOf(read))
  const words = await wordsIn(unread.body)
  expect(words).toBe(await wordsIn(body))
  expect(words).toContain('line119')
  expect(words.includes('betweenus')).toBe(audience === 'staff')
})
it('is read no faster than its process takes it', async () => {
  const conversation = await conversationWith()
  const { body } = await forms.print(transcripts().source(conversation, 'customer'), {})
  await bytesOf(body)
  // Our own, not that of the others.
  const [idle] = processesOf(process.pid, 'press-main.js')
  process.kill(idle!, 'SIGSTOP')
  let read = 0
  const long = {
    audience: 'customer' as const,
    conversation,
    async *pages() {
      const page = ['x'.repeat(1024 * 1024)]
      while (read++ < 20) yield page
    },
  }
  const printing = forms.print(long, {})
  printing.catch(() => undefined) // looked at below
  await eventually(() => read > 0)
  // Enough for all of it, were it not held back.
  for (let turn = 0; turn < 1_000; turn++) await nextTurn()
  expect(read).toBeLessThan(4)
  await forms.close()
  await expect(printing).rejects.toMatchObject({ code: 'unavailable' })
})
it('fails with what reading fails with, and its process makes the next one', async () => {
  const conversation = await conversationWith(...Array.from({ length: 200 }, (_, i) => said(`line ${i}`)))
  const tooLong = transcripts(100).source(conversation, 'customer')
  await expect(forms.print(tooLong, {})).rejects.toMatchObject({ code: 'tooLarge' })
  const [first] = processesOf(process.pid, 'press-main.js')
  const away = {
    ...tooLong,
    pages: () => {
      throw new GatewayError('unavailable', 'The store does not answer.')
    },
  }
  await expect(forms.print(away, {})).rejects.toMatchObject({ code: 'unavailable' })
  const { body } = await forms.print(transcripts().source(conversation, 'customer'), {})
  const words = await wordsIn(body)
  expect(words.match(/line199/g)).toHaveLength(1)
  expect(words.match(/line0(?!\d)/g)).toHaveLength(1)
  expect(processesOf(process.pid, 'press-main.js')).toEqual([first])
})
