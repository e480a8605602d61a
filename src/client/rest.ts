// The REST calls of the Customer Channel API that a client needs before and beside its socket.
import type { z } from 'zod'
import type * as rest from '../dialects/customer-channel/rest-wire'
import type { Attachment } from '../dialects/customer-channel/wire'
import { ChannelError, type ChannelErrorCode } from './channel-error'
import { newMessageId } from './message-id'
import { pauseAfter } from './pause'

/** Milliseconds for one request. */
const DEADLINE = 10_000
/** Milliseconds for a file: as long as the gateway takes at most, the wait for its turn counted. */
const UPLOAD_DEADLINE = 180_000
const TRIES = 4

export interface InitRequest {
  /** `web`, or the channel of a connector, which then needs its key. */
  readonly channel: string
  /** At least one of `refId`, `phone`, `email`, or a key of your own. */
  readonly refId?: string
  readonly phone?: string
  readonly email?: string
  readonly account?: string
  readonly firstName?: string
  readonly lastName?: string
  readonly language?: string
  readonly url?: string
  readonly comment?: string
  /** The skill group. */
  readonly subject?: string
  /** Idempotency key; made when absent. */
  readonly requestId?: string
  readonly [own: string]: unknown
}
export type InitAnswer = z.infer<typeof rest.initAnswer>
export type LoginAnswer = z.infer<typeof rest.loginAnswer>
export type ConversationsAnswer = z.infer<typeof rest.conversationsAnswer>
type TokenAnswer = z.infer<typeof rest.tokenAnswer>

/**
 * Starts a chat. `url` is the gateway with its base path, such as `https://host/chat`. Repeated with the same
 * `requestId` while the gateway cannot be reached or says so, four times at most.
 * @throws ChannelError
 */
export async function init(url: string | URL, request: InitRequest): Promise<InitAnswer> {
  const body = { requestId: newMessageId(), ...request }
  for (let tries = 1; ; tries++)
    try {
      return await call<InitAnswer>(url, 'api/customer/init', { body })
    } catch (error) {
      if (tries === TRIES || !(error instanceof ChannelError) || !error.retryable) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseAfter(tries, error.retryAfter)))
    }
}

/**
 * Signs a member of the staff in.
 * @throws ChannelError
 */
export function login(url: string | URL, who: { username: string; password: string }): Promise<LoginAnswer> {
  return call(url, 'api/agent/login', { body: who })
}

/**
 * Lists conversations for a member of the staff, a page at a time.
 * @throws ChannelError
 */
export function listConversations(
  url: string | URL,
  token: string,
  query: { state?: 'active' | 'ended'; after?: string; limit?: number } = {},
): Promise<ConversationsAnswer> {
  const entries = Object.entries(query).map(([key, value]) => [key, String(value)])
  return call(url, `api/agent/conversations?${new URLSearchParams(entries).toString()}`, { token })
}

/**
 * Renews a customer's token.
 * @throws ChannelError
 */
export function renewToken(
  url: string | URL,
  who: { conversationId: string; id: string; token?: string },
): Promise<TokenAnswer> {
  return call(url, 'api/customer/token', { body: who })
}

/**
 * Sends a file into a conversation, and answers the attachment to say in a message. Not repeated by itself: whoever sends
 * a large file sees that it failed, and decides.
 * @param who `token`: the customer's token or handle, or that of the staff
 * @throws ChannelError `tooLarge`, `unsupportedMediaType` and others
 */
export function uploadFile(
  url: string | URL,
  who: { conversationId: string; token: string | undefined },
  file: { content: Blob; name: string },
): Promise<Attachment> {
  const form = new FormData()
  form.set('file', file.content, file.name)
  const path = `api/customer/conversations/${encodeURIComponent(who.conversationId)}/files`
  return call(url, path, { form, ...(who.token === undefined ? {} : { token: who.token }) })
}

/** The gateway's own address with a slash at its end, so that paths can be put behind it. */
export function baseOf(url: string | URL): URL {
  const base = new URL(url)
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return base
}

interface Call {
  readonly body?: unknown
  readonly form?: FormData
  readonly token?: string
}
async function call<T>(url: string | URL, path: string, request: Call): Promise<T> {
  const response = await fetch(new URL(path, baseOf(url)), fetching(request)).catch((cause: unknown) => {
    const sentence = 'The gateway cannot be reached. Check its address and the network.'
    throw new ChannelError('unavailable', sentence, { retryable: true, cause })
  })
  const answer = (await response.json().catch(() => null)) as unknown
  if (response.ok && typeof answer === 'object' && answer !== null) return answer as T
  throw failed(response, answer)
}

function fetching({ body, form, token }: Call): RequestInit {
  const text = body === undefined ? null : JSON.stringify(body)
  return {
    method: text === null && !form ? 'GET' : 'POST',
    headers: {
      ...(text === null ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: form ?? text,
    signal: AbortSignal.timeout(form ? UPLOAD_DEADLINE : DEADLINE),
  }
}

/** Errors of the gateway have its body; those of a proxy in front of it do not. */
function failed({ status }: Response, answer: unknown): ChannelError {
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined
  if (typeof error !== 'object' || error === null)
    return new ChannelError('unavailable', `The gateway answered ${status}.`, { status, retryable: status >= 500 })
  const { code, message, ...rest } = error as { code: ChannelErrorCode; message: string; retryable: boolean }
  return new ChannelError(code, message, { ...rest, status })
}
