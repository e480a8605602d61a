// What an SMSC brings, receipts and what customers say, played by the smpp package's own server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pdu } from 'smpp'
import { outgoing } from '../../contracts/connector.contract'
import { eventually } from '../../support/eventually'
import { gateway, logged, open, server } from './with-server'

const message = { source_addr_ton: 1, source_addr: '491701234567', destination_addr: '12345' }
const receipt = { ...message, esm_class: 4 }

describe('receipts', () => {
  const text = (id: string, stat = 'DELIVRD') => `id:${id} sub:001 dlvrd:001 stat:${stat} err:001 text:`

  it.each([
    ['in decimal', '0AbC', '0000002748'],
    ['in hex', '2748', 'ABC'],
    ['in small letters', '00000ABC', 'abc'],
  ])('written %s are reported in the first form', async (_, first, written) => {
    server.submit = () => ({ message_id: first })
    await (await open()).deliver(outgoing())
    await server.bring({ ...receipt, short_message: text(written) })
    expect(gateway.reported).toEqual([{ providerMessageId: first, account: '12345', state: 'delivered' }])
  })

  it('that overtake the answer to their submit are reported in its form', async () => {
    let answered: Promise<Pdu> | undefined
    server.submit = (pdu, session) => {
      answered = server.bring({ ...receipt, short_message: text('2748') })
      setTimeout(() => session.send(pdu.response({ message_id: 'ABC' })), 50)
      return undefined
    }
    await (await open()).deliver(outgoing())
    expect((await answered)?.command_status).toBe(0)
    expect(gateway.reported).toMatchObject([{ providerMessageId: 'ABC' }])
  })

  it('of messages nobody knows are reported as they came', async () => {
    await open()
    await server.bring({ ...receipt, short_message: text('77', 'EXPIRED') })
    expect(gateway.reported).toEqual([
      { providerMessageId: '77', account: '12345', state: 'failed', reason: 'EXPIRED 001' },
    ])
  })

  it('that say nothing are answered and not reported', async () => {
    await open()
    expect((await server.bring({ ...receipt, short_message: text('77', 'UNKNOWN') })).command_status).toBe(0)
    expect((await server.bring({ ...receipt, short_message: 'what?' })).command_status).toBe(0)
    expect(gateway.reported).toEqual([])
  })

  it('may be notifications on the way, and parameters instead of text', async () => {
    await open()
    await server.bring({ ...message, esm_class: 0x20, receipted_message_id: Buffer.from('A1'), message_state: 1 })
    expect(gateway.reported).toEqual([{ providerMessageId: 'A1', account: '12345', state: 'sent' }])
  })

  it('come again when the gateway does not take them', async () => {
    await open()
    gateway.report = () => Promise.reject(new Error('no store'))
    expect((await server.bring({ ...receipt, short_message: text('77') })).command_status).toBe(0x64)
  })
})

describe('what customers say', () => {
  it('is named and read, in whatever field it comes', async () => {
    await open()
    await server.bring({ ...message, short_message: 'h\u0000i' })
    await server.bring({ ...message, data_coding: 3, message_payload: Buffer.from('grüße', 'latin1') })
    expect(gateway.received.map(({ from, account, text }) => [from, account, text])).toEqual([
      ['+491701234567', '12345', 'h@i'],
      ['+491701234567', '12345', 'grüße'],
    ])
  })

  it('may be the same twice', async () => {
    await open()
    await server.bring({ ...message, short_message: 'ok' })
    await server.bring({ ...message, short_message: 'ok' })
    expect(new Set(gateway.received.map(({ externalMessageId }) => externalMessageId)).size).toBe(2)
  })

  it('stays in order for one sender, and no sender waits for another', async () => {
    let release: () => void = () => undefined
    gateway.before = ({ text }) => (text === 'slow' ? new Promise((resolve) => (release = resolve)) : Promise.resolve())
    await open()
    const slow = server.bring({ ...message, short_message: 'slow' })
    const after = server.bring({ ...message, short_message: 'after' })
    await server.bring({ ...message, source_addr: '491709999999', short_message: 'other' })
    expect(gateway.received.map(({ text }) => text)).toEqual(['slow', 'other'])
    release()
    await Promise.all([slow, after])
    expect(gateway.received.map(({ text }) => text)).toEqual(['slow', 'other', 'after'])
  })

  it('is the same message when the link died before the answer, and is then only answered', async () => {
    let release: () => void = () => undefined
    gateway.before = () => new Promise((resolve) => (release = resolve))
    await open()
    void server.bring({ ...message, short_message: 'ok' })
    await eventually(() => gateway.received.length === 1)
    server.session().destroy()
    await eventually(() => server.of('bind_transceiver').length === 2)
    release()
    gateway.before = () => Promise.resolve()
    expect((await server.bring({ ...message, short_message: 'ok' })).command_status).toBe(0)
    expect(gateway.received).toHaveLength(1)
    await server.bring({ ...message, short_message: 'ok' })
    expect(gateway.received).toHaveLength(2)
  })

  it('keeps its id when the gateway refused it first', async () => {
    gateway.before = () => Promise.reject(new Error('no store'))
    await open()
    expect((await server.bring({ ...message, short_message: 'ok' })).command_status).toBe(0x64)
    gateway.before = () => Promise.resolve()
    expect((await server.bring({ ...message, short_message: 'ok' })).command_status).toBe(0)
    const [first, second] = gateway.received
    expect(first?.externalMessageId).toBe(second?.externalMessageId)
    expect(logged).not.toContain('ok')
  })

  const part = (number: number, text: string) => ({
    ...message,
    esm_class: 0x40,
    short_message: `\u0005\u0000\u0003\u0007\u0002${String.fromCharCode(number)}${text}`,
  })

  it('is put together although the process changes between its parts', async () => {
    const journalDir = await mkdtemp(join(tmpdir(), 'sms-'))
    const first = await open('', { journalDir })
    expect((await server.bring(part(2, 'world'))).command_status).toBe(0)
    expect(gateway.received).toEqual([])
    await first.close()
    await open('', { journalDir })
    expect((await server.bring(part(2, 'world'))).command_status).toBe(0) // its answer may have been lost
    expect((await server.bring(part(1, 'hello '))).command_status).toBe(0)
    expect(gateway.received.map(({ text }) => text)).toEqual(['hello world'])
    await rm(journalDir, { recursive: true })
  })

  it('is put together with one id however often the gateway refuses the whole', async () => {
    await open()
    await server.bring(part(1, 'hello '))
    gateway.before = () => Promise.reject(new Error('no store'))
    expect((await server.bring(part(2, 'world'))).command_status).toBe(0x64)
    gateway.before = () => Promise.resolve()
    expect((await server.bring(part(2, 'world'))).command_status).toBe(0)
    expect(gateway.received.map(({ text }) => text)).toEqual(['hello world', 'hello world'])
    expect(new Set(gateway.received.map(({ externalMessageId }) => externalMessageId)).size).toBe(1)
  })
})
