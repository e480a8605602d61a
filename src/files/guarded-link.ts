// A connection to a host of the public internet, at an address that was looked at, or none.
import { lookup as lookUp } from 'node:dns/promises'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { publicAddress } from './public-address'

/** Where to connect to; the address is checked. */
export interface Peer {
  readonly address: string
  readonly family: 4 | 6
  readonly port: number
}
/** The way to the world; whoever has another one, such as a test, gives it. */
export interface Ways {
  /** Every address of a name. */
  readonly lookup: (name: string) => Promise<readonly string[]>
  /** Begins a connection; nothing else may choose where it goes. */
  readonly connect: (peer: Peer) => Socket
  /** PEM of the certificates to trust instead of those that Node knows. */
  readonly ca?: string
}

export const WAYS: Ways = {
  lookup: async (name) => (await lookUp(name, { all: true })).map(({ address }) => address),
  connect: ({ address, family, port }) => connectTcp({ host: address, family, port }),
}

/** A name may have many addresses, but a few are enough to try. */
const MAX_ANSWERS = 64
const MAX_TRIES = 3

/** Whatever there is behind a URL, it is not for us. */
export class Forbidden extends Error {}

/**
 * The addresses of a host, IPv4 first: looked up once, and every one of them public.
 * @param host as `URL.hostname` gives it, which knows each spelling of an address
 */
export async function publicPeers(host: string, port: number, ways: Ways): Promise<readonly Peer[]> {
  const bare = host.replace(/^\[|\]$/g, '')
  const answers = isIP(bare) ? [bare] : await ways.lookup(bare.replace(/\.$/, ''))
  if (answers.length === 0 || answers.length > MAX_ANSWERS) throw new Forbidden('No address, or far too many')
  const addresses = answers.map((answer) => {
    const address = publicAddress(answer)
    // One that is not public beside others that are is how a name gets behind a guard.
    if (address === null) throw new Forbidden('Not a public address')
    return address
  })
  return addresses
    .map((address): Peer => ({ address, family: isIP(address) === 4 ? 4 : 6, port }))
    .sort((a, b) => a.family - b.family)
    .slice(0, MAX_TRIES)
}

/** A connection to the first peer that answers. */
export async function openLink(peers: readonly Peer[], ways: Ways, signal: AbortSignal): Promise<Socket> {
  let last: unknown
  for (const peer of peers) {
    signal.throwIfAborted()
    try {
      const socket = await opened(ways.connect(peer), 'connect', signal)
      if (socket.remoteAddress !== peer.address) {
        socket.destroy()
        throw new Forbidden('Connected to another address')
      }
      return socket
    } catch (error) {
      if (error instanceof Forbidden) throw error
      last = error
    }
  }
  throw last
}

/** TLS over a connection, with a certificate for `host`. */
export function secured(socket: Socket, host: string, ways: Ways, signal: AbortSignal): Promise<Socket> {
  const name = host.replace(/^\[|\]$|\.$/g, '')
  const link = connectTls({
    socket,
    host: name,
    ...(isIP(name) === 0 && { servername: name }),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...(ways.ca !== undefined && { ca: ways.ca }),
  })
  return opened(link, 'secureConnect', signal)
}

function opened<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      signal.removeEventListener('abort', giveUp)
      socket.destroy()
      reject(cause)
    }
    const giveUp = () => fail(signal.reason instanceof Error ? signal.reason : new Error('Given up'))
    socket.once(event, () => {
      signal.removeEventListener('abort', giveUp)
      socket
        .off('error', fail)
        .off('close', closed)
        .on('error', () => undefined) // whoever reads it hears of its end
      resolve(socket)
    })
    const closed = () => fail(new Error('Closed'))
    socket.on('error', fail).once('close', closed) // TLS may tell of two errors
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
  })
}
