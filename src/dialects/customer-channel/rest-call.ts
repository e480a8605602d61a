// One REST request as its handler sees it, and who makes it.
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { Answered } from '../../files/files'
import type { Caller } from '../../identity/credentials'
import { GatewayError } from '../../model/errors'
import type { RouteName } from './catalog'
import type { ChannelDeps } from './deps'

/** One request, as a handler sees it. */
export interface Call {
  readonly params: Readonly<Record<string, string>>
  readonly body: unknown
  readonly query: unknown
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** The address that it counts under. */
  readonly address: string
  /** For what is read or answered as a stream. */
  readonly request: IncomingMessage
  /** Whoever asked has gone before the answer. */
  readonly gone: AbortSignal
}
/** A file to keep. */
export interface FileResult {
  readonly file: Readable
  readonly mediaType: string
  /** Plain ASCII without quotes. */
  readonly filename: string
  /** With its quotes. */
  readonly etag: string
}
/** JSON, at once or in pieces, a file to keep, or a stream with its status and headers. */
export type Result = { readonly json: object } | { readonly pieces: Readable } | FileResult | Answered | null
export type Handlers<N extends RouteName = RouteName> = { readonly [Name in N]: (call: Call) => Promise<Result> }

/** What stands after `Bearer`; empty: nothing. */
export const bearerOf = ({ authorization = '' }: Pick<Call, 'authorization'>): string =>
  authorization.replace(/^bearer +/i, '').trim()
/** Who calls by the header alone. */
export function callerOf({ credentials }: ChannelDeps, { authorization }: Call): Promise<Caller> {
  return credentials.resolve({ authorization }, { query: false })
}
export async function staffOf(deps: ChannelDeps, call: Call): Promise<Extract<Caller, { kind: 'staff' }>> {
  const caller = await callerOf(deps, call)
  if (caller.kind === 'staff') return caller
  if (caller.kind === 'anonymous') throw new GatewayError('unauthorized', 'Sign in, and send the token as a bearer.')
  throw new GatewayError('forbidden', 'Only staff may do this.')
}
export async function supervisorOf(deps: ChannelDeps, call: Call): Promise<Extract<Caller, { kind: 'staff' }>> {
  const caller = await staffOf(deps, call)
  if (caller.role !== 'supervisor') throw new GatewayError('forbidden', 'Only supervisors may do this.')
  await deps.limiter.consume('admin', caller.accountId)
  return caller
}
