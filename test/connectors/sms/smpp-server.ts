// An SMSC in the test's own process, on the server of the `smpp` package: each test says how it answers.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import * as smpp from 'smpp'
import type { Fields, Pdu, Session } from 'smpp'

export interface Server {
  readonly sessions: Session[]
  /** Every packet that came, in order. */
  readonly heard: Pdu[]
  /** What is answered to a submit; undefined: nothing yet. */
  submit: (pdu: Pdu, session: Session) => Fields | undefined
  /** The status for the next binds; empty: accepted. */
  bindStatuses: number[]
  answersEnquiries: boolean
  url(settings?: string): string
  of(command: string): Pdu[]
  /** The session that was bound last. */
  session(): Session
  /** Brings a packet; resolves with the answer. */
  bring(fields: Fields): Promise<Pdu>
  close(): Promise<void>
}

export async function startServer(options: object = {}): Promise<Server> {
  let nextId = 1
  const bound: Session[] = []
  const server = smpp.createServer(options, (session) => {
    state.sessions.push(session)
    session.on('error', () => undefined)
    session.on('pdu', (pdu: Pdu) => hear(session, pdu))
  })
  const state: Server = {
    sessions: [],
    heard: [],
    submit: () => ({ message_id: `msg-${nextId++}` }),
    bindStatuses: [],
    answersEnquiries: true,
    url: (settings = '') =>
      `smpp://me:secret@127.0.0.1:${(server.address() as AddressInfo).port}?source=12345&${settings}`,
    of: (command) => state.heard.filter((pdu) => pdu.command === command),
    session: () => bound.at(-1)!,
    bring: (fields) =>
      new Promise((resolve) => {
        state
          .session()
          .deliver_sm(
            { ...fields, short_message: Buffer.from((fields['short_message'] as string | undefined) ?? '', 'latin1') },
            resolve,
          )
      }),
    async close() {
      for (const session of state.sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  function hear(session: Session, pdu: Pdu): void {
    state.heard.push(pdu)
    if (pdu.command === 'bind_transceiver') {
      const status = state.bindStatuses.shift() ?? 0
      if (status === 0) bound.push(session)
      session.send(pdu.response(status === 0 ? { system_id: 'test' } : { command_status: status }))
    } else if (pdu.command === 'submit_sm') {
      const answer = state.submit(pdu, session)
      if (answer) session.send(pdu.response(answer))
    } else if (pdu.command === 'unbind') session.send(pdu.response())
    else if (pdu.command === 'enquire_link' && state.answersEnquiries) session.send(pdu.response())
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return state
}
