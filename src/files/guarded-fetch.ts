// Fetches what a stranger's URL names, from the public internet and from nowhere else.
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { type Socket } from 'node:net'
import { GatewayError } from '../model/errors'
import { Forbidden, openLink, publicPeers, secured, WAYS, type Ways } from './guarded-link'

export interface FetchLimits {
  /** Bytes of the body. */
  readonly maxBytes: number
  /** Milliseconds for all of it, redirects included. */
  readonly timeoutMs: number
  /** Media types that are wanted, such as `image/png` or `image/*`; all, if not given. */
  readonly accept?: readonly string[]
  /** Ports besides 80 for `http:` and 443 for `https:`. */
  readonly ports?: readonly number[]
  readonly signal?: AbortSignal
}
export interface Fetched {
  readonly status: number
  /** Lower case, without parameters; `application/octet-stream` where the server says nothing. Said, not checked. */
  readonly mediaType: string
  readonly body: Buffer
}

const REDIRECTS = [301, 302, 303, 307, 308]
const MAX_REDIRECTS = 3
const MAX_URL = 2_048
const MAX_HEADER_BYTES = 16 * 1024
const MEDIA_TYPE = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/
/** Timers count milliseconds in 31 bits. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Fetches `http:` and `https:` URLs of public hosts, without credentials, cookies, a proxy or decompression. Names are
 * looked up once, all of their addresses must be public, and the connection goes to one of these. Redirects are followed
 * three times, each judged like the first URL, and never from `https:` to `http:`.
 *
 * Answers with whatever status the server gives, that of a redirect excepted. How many run at once is the caller's to
 * bound: each may hold `maxBytes`.
 * @param ways how to look up and connect; for tests
 * @throws GatewayError `invalidRequest`, with one sentence for whatever is forbidden or unknown; `tooLarge`;
 *   `unsupportedMediaType` for an encoding or a type that is not wanted; `unavailable` for a host that fails or is late
 */
export async function guardedFetch(url: string, limits: FetchLimits, ways: Ways = WAYS): Promise<Fetched> {
  const controller = new AbortController()
  const giveUp = () => controller.abort(unavailable('The fetch was given up.'))
  const late = setTimeout(
    () => controller.abort(unavailable('The host of the URL does not answer in time.')),
    Math.min(limits.timeoutMs, LONGEST_MS),
  )
  limits.signal?.addEventListener('abort', giveUp, { once: true })
  if (limits.signal?.aborted) giveUp()
  try {
    return await follow(url, limits, { ways, signal: controller.signal })
  } catch (error) {
    throw asGatewayError(error, controller.signal)
  } finally {
    clearTimeout(late)
    limits.signal?.removeEventListener('abort', giveUp)
  }
}

interface Way {
  readonly ways: Ways
  readonly signal: AbortSignal
}
type Answer = Fetched | { readonly redirect: string }

async function follow(first: string, limits: FetchLimits, way: Way): Promise<Fetched> {
  let url = checked(first, limits)
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await once(url, limits, way)
    if (!('redirect' in answer)) return answer
    const next = checked(answer.redirect, limits, url)
    if (url.protocol === 'https:' && next.protocol !== 'https:') throw new Forbidden('From https to http')
    url = next
  }
  throw new Forbidden('Too many redirects')
}

/** The URL, if its form is one that we fetch; where it leads is looked at when it is looked up. */
function checked(text: string, { ports = [] }: FetchLimits, base?: URL): URL {
  const url = parsed(text, base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Forbidden('Not http')
  if (url.hostname === '' || url.username !== '' || url.password !== '') throw new Forbidden('No host, or credentials')
  if (url.port !== '' && !ports.includes(Number(url.port))) throw new Forbidden('Not an allowed port')
  return url
}

function parsed(text: string, base: URL | undefined): URL {
  // URL itself would drop tabs and line breaks, and take a backslash for a slash.
  const sound = text.length <= MAX_URL && !/[\p{Cc}\s\\]/u.test(text)
  if (!sound || !URL.canParse(text, base?.href)) throw new Forbidden('Not a URL')
  return new URL(text, base?.href)
}

async function once(url: URL, limits: FetchLimits, { ways, signal }: Way): Promise<Answer> {
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const peers = await unlessAborted(publicPeers(url.hostname, port, ways), signal)
  const plain = await openLink(peers, ways, signal)
  const link = secure ? await secured(plain, url.hostname, ways, signal) : plain
  const giveUp = () => link.destroy(signal.reason instanceof Error ? signal.reason : undefined)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    signal.throwIfAborted()
    return await answerOf(asked(url, link, limits), limits)
  } finally {
    signal.removeEventListener('abort', giveUp)
    link.destroy()
  }
}

function asked(url: URL, link: Socket, { accept = ['*/*'] }: FetchLimits): ClientRequest {
  return request({
    method: 'GET',
    path: url.pathname + url.search,
    headers: { host: url.host, accept: accept.join(', '), 'accept-encoding': 'identity', connection: 'close' },
    // No agent: it would keep connections, and newer versions of Node let it take a proxy from the environment.
    createConnection: () => link,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  })
}

function answerOf(asking: ClientRequest, limits: FetchLimits): Promise<Answer> {
  return new Promise((resolve, reject) => {
    asking.on('error', reject)
    asking.once('response', (response) => {
      response.on('error', reject)
      readAnswer(response, limits).then(resolve, reject)
    })
    asking.once('upgrade', () => reject(new Error('Another protocol was offered')))
    asking.end()
  })
}

async function readAnswer(response: IncomingMessage, limits: FetchLimits): Promise<Answer> {
  const status = response.statusCode ?? 0
  if (REDIRECTS.includes(status)) {
    const { location } = response.headers
    if (location === undefined) throw new Forbidden('A redirect to nowhere')
    return { redirect: location }
  }
  const mediaType = mediaTypeOf(response)
  if (!isIdentity(response) || (status < 300 && !isWanted(mediaType, limits))) throw unwanted()
  return { status, mediaType, body: await readBody(response, limits.maxBytes) }
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const isIdentity = ({ headers }: IncomingMessage): boolean =>
  (headers['content-encoding'] ?? 'identity').trim().toLowerCase() === 'identity'

function mediaTypeOf({ headers }: IncomingMessage): string {
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return MEDIA_TYPE.test(type) ? type : 'application/octet-stream'
}

const isWanted = (mediaType: string, { accept = ['*/*'] }: FetchLimits): boolean =>
  accept.some(
    (wanted) =>
      wanted === '*/*' || (wanted.endsWith('/*') ? mediaType.startsWith(wanted.slice(0, -1)) : mediaType === wanted),
  )

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason instanceof Error ? signal.reason : new Error('Given up'))
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

const unavailable = (sentence: string) => new GatewayError('unavailable', `${sentence} Try again later.`)
const tooLarge = () => new GatewayError('tooLarge', 'What the URL names is too large. Give a smaller file.')
const unwanted = () =>
  new GatewayError('unsupportedMediaType', 'What the URL names is not of a type that is taken here. Give another file.')

/** Unknown and forbidden look alike, so that nobody learns from us what there is behind our walls. */
function asGatewayError(error: unknown, signal: AbortSignal): GatewayError {
  if (signal.aborted && signal.reason instanceof GatewayError) return signal.reason
  if (error instanceof GatewayError) return error
  if (error instanceof Forbidden || isUnknownName(error))
    return new GatewayError('invalidRequest', 'Nothing can be fetched from this URL. Give one of a public web server.')
  return new GatewayError('unavailable', 'The host of the URL cannot be reached, or broke off. Try again later.', {
    cause: error,
  })
}

const isUnknownName = (error: unknown): boolean =>
  error instanceof Error &&
  'syscall' in error &&
  typeof error.syscall === 'string' &&
  /^(getaddrinfo|query)/.test(error.syscall)
