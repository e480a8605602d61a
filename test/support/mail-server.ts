// A real SMTP server on loopback, whose manners a test chooses, and which keeps what it has accepted.
import { type AddressInfo, type Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface AcceptedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: Buffer
  readonly user: string | undefined
  readonly secure: boolean
}

/** What the server answers instead of accepting. */
export const reply = (responseCode: number, text: string): Error => Object.assign(new Error(text), { responseCode })

export class MailServer {
  readonly accepted: AcceptedMail[] = []
  /** Connections, ever. */
  connections = 0
  readonly #sockets = new Set<Socket>()
  readonly #server: SMTPServer

  private constructor(manners: SMTPServerOptions, afterData: Error | null) {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: manners.key === undefined ? ['STARTTLS'] : [],
      disableReverseLookup: true,
      closeTimeout: 1,
      logger: false,
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          if (!afterData)
            this.accepted.push({
              from: mailFrom ? mailFrom.address : '',
              to: rcptTo.map(({ address }) => address),
              raw: Buffer.concat(chunks),
              user: typeof session.user === 'string' ? session.user : undefined,
              secure: session.secure,
            })
          done(afterData, 'queued as 4F2A')
        })
      },
      ...manners,
    })
    this.#server.on('error', () => undefined) // a client that hangs up is what some tests are about
    this.#server.server.on('connection', (socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** @param afterData what it says to every mail when it has all of it */
  static async start(manners: SMTPServerOptions = {}, afterData: Error | null = null): Promise<MailServer> {
    const server = new MailServer(manners, afterData)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }
  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size
  }
  /** Ends every connection, without a word. */
  drop(): void {
    // Where TLS lies over a socket, that is what ends: Node does not survive its socket's end below a failing handshake.
    for (const { _socket } of this.#server.connections) _socket.destroy()
  }
  async close(): Promise<void> {
    this.drop()
    await new Promise<void>((resolve) => this.#server.close(resolve))
  }
}
