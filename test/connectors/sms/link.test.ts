// The link to an SMSC in all its moods, and what goes out over it, played by the smpp package's own server.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bindSession } from '../../../connectors/sms/bound-session'
import { readSmppUrl } from '../../../connectors/sms/config'
import { createSmsConnector } from '../../../connectors/sms/index'
import { expectRetryable, outgoing } from '../../contracts/connector.contract'
import { eventually } from '../../support/eventually'
import { startServer } from './smpp-server'
import { create, gateway, logged, open, server } from './with-server'

describe('binding', () => {
  it('says who we are, as a transceiver of version 3.4', async () => {
    await open('system_type=chat')
    const [bind] = server.of('bind_transceiver')
    expect(bind).toMatchObject({ system_id: 'me', password: 'secret', system_type: 'chat', interface_version: 0x34 })
  })

  it('is tried again when it is refused, and the start waits for it', async () => {
    server.bindStatuses = [0x0d, 0x0e]
    await open()
    expect(server.of('bind_transceiver')).toHaveLength(3)
    expect(logged).toContain('ESME_RINVPASWD')
    expect(logged).not.toContain('secret')
  })

  it('is given up when the connector is closed first', async () => {
    server.bindStatuses = Array.from({ length: 100 }, () => 0x0d)
    const connector = create()
    const start = connector.start(gateway)
    await eventually(() => server.of('bind_transceiver').length > 0)
    await Promise.all([expect(start).rejects.toThrow('closed'), connector.close()])
  })

  it('happens again after the connection is lost, with numbers that begin anew', async () => {
    const connector = await open()
    await connector.deliver(outgoing())
    server.session().destroy()
    await eventually(() => server.of('bind_transceiver').length === 2)
    await eventually(() => connector.deliver(outgoing()))
    expect(server.of('submit_sm').at(-1)?.sequence_number).toBe(2)
  })

  it('happens again when the SMSC unbinds us, and its unbind is answered', async () => {
    await open()
    server.session().unbind({})
    await eventually(() => server.of('bind_transceiver').length === 2)
    expect(server.of('unbind_resp')).toHaveLength(1)
  })

  it('ends with an unbind when the connector closes', async () => {
    await (await open()).close()
    expect(server.of('unbind')).toHaveLength(1)
    await eventually(() => server.sessions.every(({ socket }) => socket.destroyed))
  })

  it('ends although the SMSC does not answer the unbind', async () => {
    const connector = await open('response_timeout=0.2')
    server.session().removeAllListeners('pdu')
    await connector.close()
  })

  it('works over TLS with the certificates that are named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      { stdio: 'ignore' },
    )
    const secure = await startServer({ key: await readFile(key), cert: await readFile(cert) })
    const url = secure.url(`ca_file=${cert}`).replace('smpp://', 'ssmpp://').replace('127.0.0.1', 'localhost')
    const connector = createSmsConnector({ url })
    await connector.start(gateway)
    expect((await connector.deliver(outgoing())).providerMessageIds).toEqual(['msg-1'])
    await connector.close()
    await secure.close()
    await rm(folder, { recursive: true })
  })
})

describe('enquire_link', () => {
  it('is asked by us in time', async () => {
    await open('enquire_link=0.05')
    await eventually(() => server.of('enquire_link').length >= 2)
    expect(server.sessions).toHaveLength(1)
  })

  it('is answered by us', async () => {
    await open()
    server.session().enquire_link({})
    await eventually(() => server.of('enquire_link_resp').length === 1)
  })

  it('that is not answered makes us bind anew', async () => {
    server.answersEnquiries = false
    await open('enquire_link=0.05&response_timeout=0.1')
    await eventually(() => server.of('bind_transceiver').length === 2)
    expect(logged).toContain('does not answer enquire_link')
  })
})

describe('a peer of bad manners', () => {
  const packet = (command: number, body = Buffer.alloc(0)) => {
    const head = Buffer.alloc(16)
    head.writeUInt32BE(16 + body.length, 0)
    head.writeUInt32BE(command, 4)
    head.writeUInt32BE(99, 12)
    return Buffer.concat([head, body])
  }

  it('is told what we do not know, and is not left waiting', async () => {
    await open()
    for (const command of [0x03, 0x999, 0x102]) server.session().socket.write(packet(command)) // query, nonsense, and one without an answer
    await eventually(() => server.of('query_sm_resp').length + server.of('generic_nack').length === 2)
    expect(server.of('query_sm_resp')[0]?.command_status).toBe(3)
    expect(server.of('generic_nack')[0]?.command_status).toBe(3)
    expect(server.sessions).toHaveLength(1)
  })

  it.each([
    ['a packet without an end', Buffer.from('ffffffff00000000', 'hex')],
    [
      'fields that are cut off',
      packet(5, Buffer.from('00010134393137303132333435363700000031323334350040000000000000000020', 'hex')),
    ],
  ])('costs the link and nothing else: %s', async (_, bytes) => {
    const connector = await open()
    server.session().socket.write(bytes)
    server.session().socket.end()
    await eventually(() => server.of('bind_transceiver').length === 2)
    await eventually(() => connector.deliver(outgoing()))
  })

  it('cannot make a packet that does not fit throw out of the library', async () => {
    const events = { bound: () => undefined, proven: () => undefined, brought: () => Promise.resolve({ status: 0 }) }
    const session = await bindSession(readSmppUrl(server.url()), events, new AbortController().signal)
    await expect(session.request('submit_sm', { short_message: Buffer.alloc(300) })).rejects.toMatchObject({
      kind: 'unsendable',
    })
    await session.unbind(1_000)
  })
})

describe('submitting', () => {
  it('names sender, recipient and alphabet', async () => {
    const connector = await open()
    await connector.deliver(outgoing({ account: '', text: 'a@_{' }))
    await connector.deliver(outgoing({ account: 'Fairlead', text: 'привет' }))
    const [plain, wide] = server.of('submit_sm')
    expect(plain).toMatchObject({
      source_addr: '12345',
      source_addr_ton: 3,
      destination_addr: '491701234567',
      dest_addr_ton: 1,
    })
    expect(plain).toMatchObject({
      dest_addr_npi: 1,
      data_coding: 0,
      registered_delivery: 1,
      short_message: { message: 'a@_{' },
    })
    expect(wide).toMatchObject({
      source_addr: 'Fairlead',
      source_addr_ton: 5,
      data_coding: 8,
      short_message: { message: 'привет' },
    })
  })

  it('puts links of attachments below the words', async () => {
    const file = { type: 'image/png', name: 'a.png', contentUrl: 'https://files.example/a' }
    await (await open()).deliver(outgoing({ text: 'look', attachments: [file] }))
    expect(server.of('submit_sm')[0]).toMatchObject({ short_message: { message: 'look\nhttps://files.example/a' } })
  })

  it('never has more outstanding than the window, and uses all of it', async () => {
    const waiting: (() => void)[] = []
    let most = 0
    server.submit = (pdu, session) => {
      waiting.push(() => session.send(pdu.response({ message_id: String(pdu.sequence_number) })))
      most = Math.max(most, waiting.length)
      if (waiting.length === 3) setImmediate(() => waiting.splice(0).forEach((answer) => answer()))
      return undefined
    }
    const connector = await open('window=3')
    await Promise.all(Array.from({ length: 12 }, () => connector.deliver(outgoing())))
    expect(most).toBe(3)
  })

  it.each([
    ['an invalid recipient', 0x0b, false],
    ['a length it never takes', 0x01, false],
    ['an error of its own', 0x08, true],
    ['a temporary one of the application', 0x64, true],
    ['what only it knows', 0x4a1, true],
  ])('tells whether %s is worth another try', async (_, status, retryable) => {
    server.submit = () => ({ command_status: status })
    await expectRetryable((await open()).deliver(outgoing()), retryable)
  })

  it.each([
    ['nothing to say', { text: '' }],
    ['no number', { to: 'nobody in particular' }],
    ['a sender that is none', { account: 'much too long for one' }],
    ['more parts than can be counted', { text: 'a'.repeat(153 * 255 + 1) }],
  ])('refuses for good %s', async (_, fields) => {
    await expectRetryable((await open()).deliver(outgoing(fields)), false)
    expect(server.of('submit_sm')).toHaveLength(0)
  })

  it.each([0x58, 0x14])('pauses the whole link when it is told %s', async (status) => {
    server.submit = () => ({ command_status: status })
    const connector = await open('window=1')
    const { options } = await expectRetryable(connector.deliver(outgoing()))
    expect(options.retryAfter).toBe(1)
    server.submit = () => ({ message_id: 'later' })
    const before = performance.now()
    await connector.deliver(outgoing({ to: '+491709999999' }))
    expect(performance.now() - before).toBeGreaterThan(700)
  })

  it('gives up a submit that is not answered, and knows its late answer when it is tried again', async () => {
    let late: () => void = () => undefined
    server.submit = (pdu, session) => {
      late = () => session.send(pdu.response({ message_id: 'late' }))
      return undefined
    }
    const connector = await open('response_timeout=0.1')
    const asked = outgoing()
    expect((await expectRetryable(connector.deliver(asked))).reason).toBe('no-answer')
    late()
    await server.bring({ source_addr: '1', destination_addr: '2', short_message: 'x' }) // answered: it has read so far
    expect((await connector.deliver(asked)).providerMessageIds).toEqual(['late'])
    expect(server.of('submit_sm')).toHaveLength(1)
  })

  it('gives back what was out when the link died, and takes no more until it is bound', async () => {
    server.submit = () => undefined
    const connector = await open('window=1')
    const [out, waiting] = [connector.deliver(outgoing()), connector.deliver(outgoing())]
    const both = Promise.all([expectRetryable(out), expectRetryable(waiting)])
    await eventually(() => server.of('submit_sm').length === 1)
    server.bindStatuses = Array.from({ length: 100 }, () => 0x0d)
    server.session().destroy()
    expect((await both).map(({ reason }) => reason)).toEqual(['link-lost', 'link-down'])
    expect((await expectRetryable(connector.deliver(outgoing()))).reason).toBe('link-down')
  })

  it('sends one delivery once although it is asked for twice at once', async () => {
    const connector = await open()
    const asked = outgoing()
    const [one, two] = await Promise.all([connector.deliver(asked), connector.deliver(asked)])
    expect(one).toEqual(two)
    expect(server.of('submit_sm')).toHaveLength(1)
  })

  it('sends only the rest of a message when the SMSC refused a part of it', async () => {
    let count = 0
    server.submit = () => (++count === 2 ? { command_status: 0x08 } : { message_id: `part-${count}` })
    const connector = await open()
    const asked = outgoing({ text: 'x'.repeat(400) })
    await expectRetryable(connector.deliver(asked))
    const { providerMessageIds } = await connector.deliver(asked)
    expect(providerMessageIds).toEqual(['part-1', 'part-3', 'part-4'])
    const headers = server.of('submit_sm').map((pdu) => (pdu.short_message as { udh: Buffer[] }).udh[0]!)
    expect(headers.map((udh) => udh[4])).toEqual([1, 2, 2, 3])
    expect(new Set(headers.map((udh) => udh[2])).size).toBe(1)
  })

  it('does not send again in the next process what the SMSC took', async () => {
    const journalDir = await mkdtemp(join(tmpdir(), 'sms-'))
    const asked = outgoing()
    const first = await open('', { journalDir })
    const accepted = await first.deliver(asked)
    await first.close()
    expect(await (await open('', { journalDir })).deliver(asked)).toEqual(accepted)
    expect(server.of('submit_sm')).toHaveLength(1)
    await rm(journalDir, { recursive: true })
  })
})
