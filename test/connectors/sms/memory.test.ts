// What the connector remembers: repeats, parts, accepted segments, and the journal they outlive a process in.
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Entry, memoryJournal, openJournal } from '../../../connectors/sms/journal'
import { type Part, Reassembly, textOfParts } from '../../../connectors/sms/reassembly'
import { DOUBT_AFTER_BIND, Repeats } from '../../../connectors/sms/repeats'
import { Sent } from '../../../connectors/sms/sent'

let now = 1_000_000
const clock = () => now
const lasting = () => {
  const entries: Entry[] = []
  const append = async (more: readonly Entry[]) => void entries.push(...more)
  return { entries, lasting: true, append, close: () => Promise.resolve() }
}

describe('repeats', () => {
  const said = async (repeats: Repeats, sequence: number | undefined) => {
    const { id } = await repeats.claim('ok')
    await repeats.accept(id)
    repeats.answered(id, sequence)
    return id
  }

  it('keep two honest "ok" apart while the link holds', async () => {
    const repeats = new Repeats(lasting(), clock)
    repeats.bound()
    expect(await said(repeats, 1)).not.toBe(await said(repeats, 1))
  })

  it('know a packet again after a lost link when the answer may be lost, and need not hear it again', async () => {
    const repeats = new Repeats(lasting(), clock)
    repeats.bound()
    const id = await said(repeats, 1)
    repeats.lost()
    now += 3_600_000 // the link may be away for long
    repeats.bound()
    expect(await repeats.claim('ok')).toEqual({ id, accepted: true })
    expect((await repeats.claim('ok')).id).not.toBe(id)
  })

  it('take it for a new one when the SMSC proved that it read the answer', async () => {
    const repeats = new Repeats(lasting(), clock)
    repeats.bound()
    const id = await said(repeats, 4)
    repeats.proven(4) // our request before the answer
    repeats.proven(5)
    repeats.lost()
    repeats.bound()
    expect((await repeats.claim('ok')).id).not.toBe(id)
  })

  it('take it for a new one a minute after the bind', async () => {
    const repeats = new Repeats(lasting(), clock)
    repeats.bound()
    const id = await said(repeats, 1)
    repeats.lost()
    repeats.bound()
    now += DOUBT_AFTER_BIND
    expect((await repeats.claim('ok')).id).not.toBe(id)
  })

  it('keep the id of a refused packet for its next coming', async () => {
    const repeats = new Repeats(lasting(), clock)
    repeats.bound()
    const { id } = await repeats.claim('ok')
    repeats.refuse(id)
    repeats.answered(id, 1)
    now += 600_000
    expect(await repeats.claim('ok')).toEqual({ id, accepted: false })
  })

  it('hear what was never accepted first', async () => {
    const repeats = new Repeats(lasting(), clock)
    repeats.bound()
    const accepted = await said(repeats, 1)
    const { id: open } = await repeats.claim('ok')
    repeats.lost()
    repeats.bound()
    expect(await repeats.claim('ok')).toEqual({ id: open, accepted: false })
    expect(await repeats.claim('ok')).toEqual({ id: accepted, accepted: true })
  })

  it('know a packet again that came twice because the first answer took too long', async () => {
    const repeats = new Repeats(lasting(), clock)
    repeats.bound()
    const { id } = await repeats.claim('ok')
    const arrived = (now += 6_000)
    now += 1_000
    await repeats.accept(id)
    repeats.answered(id, 1)
    expect(await repeats.claim('ok', arrived)).toEqual({ id, accepted: true })
  })

  it('outlive the process', async () => {
    const journal = lasting()
    const first = new Repeats(journal, clock)
    first.bound()
    const accepted = await said(first, 1)
    const { id: open } = await first.claim('other')
    const second = new Repeats(journal, clock)
    second.load([...journal.entries])
    expect(second.snapshot()).toHaveLength(3)
    second.bound()
    expect(await second.claim('ok')).toEqual({ id: accepted, accepted: true })
    expect(await second.claim('other')).toEqual({ id: open, accepted: false })
  })

  it('make the same ids again without a journal in the first minute, and others later', async () => {
    now = 600_000_000
    const ids = async () => {
      const repeats = new Repeats(memoryJournal(), clock)
      repeats.bound()
      return [await said(repeats, 1), await said(repeats, 1)]
    }
    const first = await ids()
    expect(new Set(first).size).toBe(2)
    expect(await ids()).toEqual(first)
    const repeats = new Repeats(memoryJournal(), clock)
    repeats.bound()
    now += DOUBT_AFTER_BIND
    expect(first).not.toContain(await said(repeats, 1))
  })

  it('do not grow without limit', async () => {
    const repeats = new Repeats(memoryJournal(), clock)
    for (let n = 0; n < 10_050; n++) await repeats.claim(`digest ${n}`)
    expect(repeats.snapshot()).toHaveLength(10_000)
  })
})

describe('reassembly', () => {
  const part = (number: number, text: string, fields: Partial<Part> = {}): Part => ({
    ...{ key: 'k', id: `id-${number}`, at: now, from: '+49', account: '12345', total: 3, number, dataCoding: 0 },
    body: Buffer.from(text).toString('base64'),
    ...fields,
  })

  it('gives the whole in order under the first id, however the parts come', () => {
    const all = new Reassembly()
    all.keep(part(3, 'c'))
    all.keep(part(1, 'a'))
    all.keep(part(1, 'a')) // again
    const whole = all.whole(part(2, 'b'))!
    expect([textOfParts(whole), whole.id]).toEqual(['abc', 'id-3'])
    all.remove('k')
    expect(all.snapshot()).toEqual([])
  })

  it('joins characters that a sender tore apart', () => {
    const all = new Reassembly()
    const emoji = Buffer.from('😀', 'utf16le').swap16()
    const halves = [emoji.subarray(0, 2), emoji.subarray(2)].map((half) => half.toString('base64'))
    all.keep(part(1, '', { total: 2, dataCoding: 8, body: halves[0]! }))
    expect(textOfParts(all.whole(part(2, '', { total: 2, dataCoding: 8, body: halves[1]! }))!)).toBe('😀')
  })

  it('shows what is there when it waited too long, with a gap', () => {
    const all = new Reassembly()
    all.keep(part(1, 'a'))
    all.keep(part(4, 'd', { total: 4, key: 'other' }))
    expect(all.expired(now)).toEqual([])
    expect(all.expired(now + 24 * 3_600_000).map(textOfParts)).toEqual(['a[…]', '[…]d'])
  })

  it('does not mix two messages under one reference', () => {
    const all = new Reassembly()
    all.keep(part(1, 'a'))
    expect(all.inTheWay(part(2, 'b'))).toBeUndefined()
    expect(all.inTheWay(part(1, 'x'))?.key).toBe('k')
    expect(all.inTheWay(part(2, 'b', { total: 2 }))?.key).toBe('k')
  })

  it('names the oldest when there is no room', () => {
    const all = new Reassembly({ messages: 2, bytes: 100, age: 1 })
    all.keep(part(1, 'a', { key: 'first' }))
    all.keep(part(1, 'a', { key: 'second' }))
    expect(all.inTheWay(part(1, 'a', { key: 'third' }))?.key).toBe('first')
    expect(all.inTheWay(part(2, 'b', { key: 'second' }))).toBeUndefined()
  })
})

describe('sent', () => {
  const sent = (ids: string[], to = '+491701234567', delivery = 'd') => {
    const memory = new Sent(memoryJournal(), clock)
    const add = (id: string, index: number) =>
      memory.accept({ delivery, reference: 1, total: ids.length, index, id, to, account: '12345' })
    ids.forEach((id, index) => void add(id, index))
    return memory
  }

  it.each([
    ['as it was', '00000ABC', '00000ABC'],
    ['in other letters and without zeros', '00000ABC', 'abc'],
    ['in decimal', '00000ABC', '0000002748'],
    ['in hex', '2748', 'abc'],
    ['as a word', 'msg-1', 'MSG-1'],
  ])('finds an id %s', (_, first, written) => {
    expect(sent([first]).find(written, ['491701234567'], false)).toEqual({ id: first, account: '12345', sure: true })
  })

  it('lets the recipient settle what two forms leave open', async () => {
    const memory = sent(['26'], '+491700000001', 'one')
    await memory.accept({
      delivery: 'two',
      reference: 2,
      total: 1,
      index: 0,
      id: '1A',
      to: '+491700000002',
      account: '',
    })
    expect(memory.find('26', ['491700000002'], false)?.id).toBe('1A')
    expect(memory.find('26', ['491700000001'], false)?.id).toBe('26')
    expect(memory.find('26', ['491700000003'], false)?.sure).toBe(false)
    expect(memory.find('99', ['491700000003'], false)).toBeUndefined()
  })

  it('goes on where the SMSC stopped, also in the next process', async () => {
    const journal = lasting()
    const first = new Sent(journal, clock)
    const { reference } = first.outset('d', 3)
    await first.accept({ delivery: 'd', reference, total: 3, index: 0, id: 'A', to: '1', account: '' })
    expect(first.outset('d', 3)).toEqual({ reference, ids: new Map([[0, 'A']]) })
    const second = new Sent(journal, clock)
    second.load(journal.entries)
    expect(second.outset('d', 3)).toEqual({ reference, ids: new Map([[0, 'A']]) })
    expect(second.outset('d', 2).ids.size).toBe(0)
  })

  it('forgets the oldest', async () => {
    const memory = new Sent(memoryJournal(), clock)
    for (let n = 0; n < 20_010; n++)
      await memory.accept({ delivery: `d${n}`, reference: 1, total: 1, index: 0, id: `m-${n}`, to: '1', account: '' })
    expect(memory.snapshot().length).toBeLessThanOrEqual(20_000)
    expect(memory.find('m-0', ['1'], true)).toBeUndefined()
    expect(memory.find('m-20009', ['1'], true)?.id).toBe('m-20009')
  })
})

describe('the journal', () => {
  let folder: string
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'journal-'))))
  afterEach(() => rm(folder, { recursive: true }))
  const done = (key: string): Entry => ({ k: 'done', key })

  it('gives back what was written, without a line that was cut off', async () => {
    const path = join(folder, 'deep', 'journal.jsonl')
    const journal = await openJournal(path, () => [])
    await Promise.all([journal.append([done('a')], true), journal.append([done('b'), done('c')], false)])
    await journal.close()
    await appendFile(path, '{"k":"done","ke')
    expect((await openJournal(path, () => [])).entries).toEqual([done('a'), done('b'), done('c')])
    expect((await stat(path)).mode & 0o077).toBe(0)
  })

  it('is written anew with what still counts', async () => {
    const path = join(folder, 'journal.jsonl')
    const journal = await openJournal(path, () => [done('kept')])
    for (let n = 0; n < 3; n++)
      await journal.append(
        Array.from({ length: 20_000 }, () => done('x')),
        false,
      )
    await journal.close()
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    expect(lines[0]).toBe(JSON.stringify(done('kept')))
    expect(lines.length).toBe(20_001)
  })

  it('tells when the disk does not take it, and goes on when it does', async () => {
    const journal = await openJournal(join(folder, 'journal.jsonl'), () => [])
    await rm(folder, { recursive: true })
    await expect(journal.append([done('a')], true)).rejects.toThrow()
    folder = await mkdtemp(folder.slice(0, -6))
    await journal.close()
    await expect(journal.append([done('a')], true)).rejects.toThrow('closed')
  })
})
