// A simulator, not an SMSC: it takes every bind and every message, says that all were delivered, and is told over HTTP what phones
// send. For trying out: `node dist/connectors/sms/simulator.js [SMPP port] [HTTP port]`, 2775 and 2780. It keeps nothing.
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import * as smpp from 'smpp'
import type { Fields, Pdu, Session } from 'smpp'
import { readBrought, textOf } from './codec'
import { addressOf, nameOf } from './numbers'
import { speakBytes } from './raw-packets'
import { segment, withHeader } from './segments'

const OUR_NUMBER = '12345'
const HAS_HEADER = 0x40
const RECEIPT = 0x04
/** Phones that are remembered, messages of each, and the length of what one may send. */
const MAX_PHONES = 1_000
const MAX_MESSAGES = 100
const MAX_BYTES = 2_000

interface Sms {
  readonly from: string
  readonly text: string
}

const phones = new Map<string, Sms[]>()
/** Bound, in order; the last one is brought what phones send. */
const sessions: Session[] = []
let nextId = 1

function hear(session: Session, pdu: Pdu): void {
  if (pdu.isResponse()) return
  if (/^bind_(transceiver|receiver|transmitter)$/.test(pdu.command)) {
    session.send(pdu.response({ system_id: 'simulator' }))
    if (pdu.command !== 'bind_transmitter') sessions.push(session)
  } else if (pdu.command === 'submit_sm') take(session, pdu)
  else if (pdu.command === 'enquire_link') session.send(pdu.response())
  else if (pdu.command === 'unbind') {
    session.send(pdu.response())
    session.close()
  } else session.send(pdu.response({ command_status: smpp.errors['ESME_RINVCMDID'] }))
}

function take(session: Session, pdu: Pdu): void {
  const { from, to, body, dataCoding } = readBrought(pdu)
  const id = (nextId++).toString(16).toUpperCase().padStart(8, '0')
  keep(nameOf(to), { from: nameOf(from), text: textOf(body, dataCoding) })
  session.send(pdu.response({ message_id: id }))
  if (((pdu.registered_delivery ?? 0) & 1) === 0) return
  const minute = new Date().toISOString().slice(2, 16).replace(/\D/g, '')
  const receipt = `id:${id} sub:001 dlvrd:001 submit date:${minute} done date:${minute} stat:DELIVRD err:000 text:`
  session.deliver_sm({ ...between(to, from), esm_class: RECEIPT, short_message: Buffer.from(receipt, 'latin1') })
}

function keep(phone: string, sms: Sms): void {
  const received = phones.get(phone) ?? []
  received.push(sms)
  if (received.length > MAX_MESSAGES) received.shift()
  phones.delete(phone)
  phones.set(phone, received)
  const [oldest] = phones.keys()
  if (phones.size > MAX_PHONES && oldest !== undefined) phones.delete(oldest)
}

type Address = NonNullable<ReturnType<typeof addressOf>>
const between = (from: Address, to: Address): Fields => ({
  ...{ source_addr_ton: from.ton, source_addr_npi: from.npi, source_addr: from.digits },
  ...{ dest_addr_ton: to.ton, dest_addr_npi: to.npi, destination_addr: to.digits },
})

/** Resolves when every part was accepted. */
async function sendFrom(phone: Address, to: Address, text: string): Promise<boolean> {
  const session = sessions.at(-1)
  if (!session) return false
  const { dataCoding, parts } = segment(text)
  const reference = nextId++ & 0xff
  const submit = (part: Buffer, index: number) =>
    new Promise<boolean>((resolve) => {
      const many = parts.length > 1
      const body = many ? withHeader(part, reference, parts.length, index + 1) : part
      const fields = { ...between(phone, to), data_coding: dataCoding, esm_class: many ? HAS_HEADER : 0 }
      session.once('close', () => resolve(false))
      const isSent = session.deliver_sm({ ...fields, short_message: body }, (answer) =>
        resolve(answer.command_status === 0),
      )
      if (!isSent) resolve(false)
    })
  return (await Promise.all(parts.map(submit))).every(Boolean)
}

/** `POST /+491701234567` with a text sends from that phone, to `?to=` or 12345; `GET` tells what it has received. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://simulator')
  const phone = addressOf(decodeURIComponent(url.pathname.slice(1)))
  const to = addressOf(url.searchParams.get('to') ?? OUR_NUMBER)
  const say = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(`${JSON.stringify(body)}\n`)
  if (!phone || !to) say(404, { error: 'The path is a phone number, such as /+491701234567.' })
  else if (request.method === 'GET') say(200, { received: phones.get(nameOf(phone)) ?? [] })
  else if (request.method === 'POST') say(...(await send(phone, to, await bodyOf(request))))
  else say(405, { error: 'POST sends from the phone, GET reads what it received.' })
}
async function send(phone: Address, to: Address, text: string | null): Promise<[status: number, body: object]> {
  if (!text) return [400, { error: `The body is a text of up to ${MAX_BYTES} bytes.` }]
  const isAccepted = await sendFrom(phone, to, text)
  return isAccepted
    ? [200, { sent: true }]
    : [503, { error: 'No connector is bound, or it did not accept the message.' }]
}
/** Null when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BYTES) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function main(smppPort: number, httpPort: number): void {
  speakBytes('submit_sm')
  speakBytes('deliver_sm')
  const smsc = smpp.createServer({}, (session) => {
    session.on('error', () => session.destroy())
    session.on('pdu', (pdu: Pdu) => hear(session, pdu))
    session.on('close', () => {
      const index = sessions.indexOf(session)
      if (index >= 0) sessions.splice(index, 1)
    })
  })
  const http = createHttpServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(400).end())
  })
  const portOf = (server: Server) => (server.address() as AddressInfo).port
  smsc.listen(smppPort, () =>
    http.listen(httpPort, () => {
      const ports = `SMPP on port ${portOf(smsc)}, phones on HTTP port ${portOf(http)}`
      process.stdout.write(`The SMSC simulator listens: ${ports}. No message reaches a real phone.\n`)
    }),
  )
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
}

main(Number(process.argv[2] ?? 2775), Number(process.argv[3] ?? 2780))
