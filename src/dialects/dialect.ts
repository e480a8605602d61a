// What every dialect is given at its door, whatever tongue it speaks.
import type { Tenant } from '../model/ids'

/** What is counted; the numbers stand in `http/limits.ts`. */
export type LimitName =
  | 'handshake'
  | 'register'
  | 'loginPerUser'
  | 'loginPerAddress'
  | 'init'
  | 'join'
  | 'sendCustomer'
  | 'sendStaff'
  | 'sendConnector'
  | 'connectorTotal'
  | 'transcript'
  | 'mail'
  | 'token'
  | 'upload'
  | 'file'
  | 'admin'
  | 'notification'
/** Counts what callers do. */
export interface Limiter {
  /** Throws `tooManyRequests`, with the seconds to wait, when this key has done too much of it. */
  consume(name: LimitName, key: string): Promise<void>
}

/** Where a caller came in: it settles the tenant, once, and never by what a body says. */
export interface EntryPoint {
  readonly tenant: Tenant
  readonly customerAuth: 'handle' | 'token'
  readonly allowedOrigins: 'any' | readonly string[]
}
