// What one request of a client that polls brings: hundreds of thousands of packets may be in it, and others have their turn between them.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'socket.io'

/** Packets of one turn of the event loop: some two milliseconds of it. */
const OF_A_TURN = 100
/** Of the length in front of a packet, in protocol 3. */
const MOST_DIGITS = 10
const SEPARATOR = '\x1e'
/** Ends the length in front of a packet, where they come as bytes. */
const END_OF_LENGTH = 255

type Data = string | Buffer
/** Of a packet that was read. */
type Hear = (packet: unknown) => unknown
/** Engine.IO's. Protocol 3 tells each packet to `hear`; protocol 4 answers all of them. */
interface Parser {
  decodePayload(data: Data, hear?: Hear): { forEach(hear: Hear): void } | undefined
}
/** What is used of Engine.IO's transport. */
interface Polling {
  readonly name: string
  readonly readyState: string
  parser: Parser | undefined
  onDataRequest(request: unknown, response: ServerResponse): void
}

/**
 * Has what such a request brings read and heard a few packets at a time, and answers it when all of them are heard: until
 * then a client sends nothing else, nor goes on by a WebSocket. One that does is cut off. A WebSocket brings its packets
 * one by one and is let be.
 */
export function spreadPolls(connection: Socket['conn']): void {
  const { transport, protocol } = connection as unknown as { transport: Polling; protocol: number }
  const { name, parser } = transport
  if (name !== 'polling' || typeof transport.onDataRequest !== 'function') return
  if (typeof parser?.decodePayload !== 'function') return
  const begin = transport.onDataRequest.bind(transport)
  const answers: (() => void)[] = []
  let left: Data | null = null
  const goOn = (data: Data, hear: Hear) => {
    // Closed by what was heard, or left for a WebSocket.
    const parts = transport.readyState === 'closed' ? null : divided(data, protocol)
    left = parts?.later ?? null
    if (!parts) connection.close(true)
    else if (protocol === 4) parser.decodePayload(parts.now)?.forEach(hear)
    else parser.decodePayload(parts.now, hear)
    if (left === null) for (const answer of answers.splice(0)) answer()
    else setImmediate(goOn, left, hear)
  }
  const take = (data: Data, hear: Hear) => {
    if (left === null) goOn(data, hear)
    else connection.close(true)
  }
  const decodePayload: Parser['decodePayload'] = (data, hear) => {
    if (!hear) return { forEach: (each) => take(data, each) }
    take(data, hear)
    return undefined
  }
  // All other functions stay those of the parser, which all transports share.
  transport.parser = Object.create(parser, { decodePayload: { value: decodePayload } }) as Parser
  transport.onDataRequest = (request, response) => {
    const end = response.end.bind(response)
    Object.assign(response, {
      end: (text?: string) => {
        if (left === null) return end(text)
        answers.push(() => end(text))
        return response
      },
    })
    begin(request, response)
  }
}

/** Packets are not read here, only told from each other. Null for lengths that no client writes. */
export function divided(data: Data, protocol: number): { readonly now: Data; readonly later: Data | null } | null {
  const next = protocol === 4 ? behindSeparator : typeof data === 'string' ? behindText : behindBytes
  let at = 0
  for (let count = 0; count < OF_A_TURN && at < data.length; count++) at = next(data as string & Buffer, at)
  if (Number.isNaN(at)) return null
  if (at >= data.length) return { now: data, later: null }
  return { now: data.slice(0, protocol === 4 ? at - 1 : at), later: data.slice(at) }
}
function behindSeparator(data: string, at: number): number {
  const end = data.indexOf(SEPARATOR, at)
  return end < 0 ? data.length : end + 1
}
/** `<characters>:<packet>` */
function behindText(data: string, at: number): number {
  const length = /^\d+(?=:)/.exec(data.slice(at, at + MOST_DIGITS + 1))?.[0]
  return length === undefined ? NaN : at + length.length + 1 + Number(length)
}
/** A byte for the type, one for each digit, 255, and the packet. */
function behindBytes(data: Buffer, at: number): number {
  const head = data.subarray(at + 1, at + MOST_DIGITS + 2)
  const digits = head.subarray(0, Math.max(0, head.indexOf(END_OF_LENGTH)))
  if (digits.length === 0 || digits.some((digit) => digit > 9)) return NaN
  return at + digits.length + 2 + Number(digits.join(''))
}
