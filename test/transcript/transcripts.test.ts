// A transcript holds what was said publicly, in order, and nothing else.
import { isAnswered, Transcripts } from '../../src/transcript/transcripts'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { ann, done, ended, open, said, whispered, write } from '../support/log-fixtures'

describe('a transcript', () => {
  let under: TestDatabase
  beforeEach(async () => {
    under = await openTestMemory()
  })
  afterEach(() => under.close())
  const read = async (...drafts: Parameters<typeof write>[2][]) => {
    const store = under.database.conversations
    const id = await open(store, '+1')
    const { conversation } = await write(store, id, ...drafts)
    return new Transcripts({ store }).read(conversation!)
  }

  it('holds the public messages, with their public positions and who said them', async () => {
    const { lines } = await read(said('hi', ann), whispered('cross'), done('nod'), said('hello'), ended)
    expect(lines).toMatchObject([
      { seq: 2, text: 'hi', from: { name: 'Ann', role: 'customer' } },
      { seq: 4, text: 'hello', from: { name: 'Bo', role: 'agent' } },
    ])
    expect(JSON.stringify(lines)).not.toContain('cross')
    for (const { from } of lines) expect(Object.keys(from).sort()).toEqual(['name', 'role'])
  })
  it('is whole, however long', async () => {
    const { lines } = await read(...Array.from({ length: 1_300 }, (_, i) => (i % 3 ? said(`${i}`) : whispered(`${i}`))))
    expect(lines.map(({ text }) => Number(text))).toEqual(
      Array.from({ length: 1_300 }, (_, i) => i).filter((i) => i % 3 > 0),
    )
  })
  it('is answered when somebody other than the customer has spoken publicly', async () => {
    const alone = await read(said('hi', ann), whispered('cross'))
    expect(isAnswered(alone)).toBe(false)
    expect(isAnswered(await read(said('hello')))).toBe(true)
  })
})
