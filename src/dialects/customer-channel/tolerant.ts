// How requests are read: any spelling of a known key, nulls as absent, unknown keys kept within bounds and apart from ours.
import { z } from 'zod'
import { GatewayError } from '../../model/errors'
import type { JsonObject } from '../../model/content'
import { channelName } from '../../model/participant'

/** Unknown keys of one request: at most 16, together at most 4 KB of JSON, nested at most 4 deep. */
const MAX_EXTRAS = 16
const MAX_EXTRAS_BYTES = 4096
const MAX_DEPTH = 4
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
/** Too much is answered with 413, not 400. */
const TOO_LARGE = 'tooLarge'

/** What is not ours: checked in `normalise`, so that the schema need not look at it again. */
export const extras = z.custom<JsonObject>(() => true)

interface Reading {
  /** Canonical spelling by lower-cased spelling. */
  readonly spellings: ReadonlyMap<string, string>
  /** Names that the server writes itself: an unknown key never stands in their place. */
  readonly reserved: ReadonlySet<string>
  /** Keys that old clients send empty: an empty text or list is as good as none, and costs no look. */
  readonly emptyIsAbsent: ReadonlySet<string>
}
interface Options {
  readonly aliases?: Readonly<Record<string, string>>
  readonly reserved?: readonly string[]
  readonly emptyIsAbsent?: readonly string[]
}

/**
 * A request of the wire: `shape` is what the documents show, `aliases` are other spellings that clients in the field
 * use. What is unknown comes out under `extras`.
 */
export function request<S extends z.ZodRawShape>(shape: S, { aliases = {}, reserved, emptyIsAbsent }: Options = {}) {
  const spellings = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]))
  for (const [alias, key] of Object.entries(aliases)) spellings.set(alias.toLowerCase(), key)
  const reading = { spellings, reserved: new Set(reserved), emptyIsAbsent: new Set(emptyIsAbsent) }
  const documented = z.object(shape)
  const parsed = documented.extend({ extras })
  return { documented, schema: z.preprocess((raw, context) => normalise(raw, reading, context), parsed) }
}

function normalise(raw: unknown, reading: Reading, context: z.RefinementCtx): unknown {
  if (!isObject(raw)) {
    context.addIssue({ code: 'custom', message: 'Send a JSON object' })
    return z.NEVER
  }
  const read: Read = { known: {}, unknown: {}, extraKeys: 0 }
  for (const key of Object.keys(raw)) {
    const value = raw[key]
    if (value !== null && value !== undefined && !FORBIDDEN.has(key)) readKey(read, reading, [key, value])
    if (read.extraKeys > MAX_EXTRAS) break
  }
  if (read.extraKeys > 0) checkExtras(read.unknown, read.extraKeys, context)
  read.known['extras'] = read.unknown
  return read.known
}

interface Read {
  readonly known: Record<string, unknown>
  readonly unknown: Record<string, unknown>
  extraKeys: number
}
/** The exact spelling wins over any other; of the others the first. */
function readKey(read: Read, { spellings, reserved, emptyIsAbsent }: Reading, [key, value]: [string, unknown]): void {
  const canonical = spellings.get(key) ?? spellings.get(key.toLowerCase())
  if (canonical !== undefined) {
    if (isEmpty(value) && emptyIsAbsent.has(canonical)) return
    if (key === canonical || !Object.hasOwn(read.known, canonical)) read.known[canonical] = value
  } else if (!reserved.has(key)) {
    read.unknown[key] = value
    read.extraKeys += 1
  }
}

const isEmpty = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.length === 0)

function checkExtras(unknown: Record<string, unknown>, count: number, context: z.RefinementCtx): void {
  const fault = faultOf(unknown, count)
  if (fault !== null) context.addIssue({ code: 'custom', message: fault })
}
function faultOf(unknown: Record<string, unknown>, count: number): string | null {
  if (count > MAX_EXTRAS) return `Send at most ${MAX_EXTRAS} keys of your own`
  const fault = faultIn(unknown, MAX_DEPTH + 1, { values: MAX_EXTRAS_BYTES / 2 })
  if (fault !== null) return fault
  return bytesOf(JSON.stringify(unknown)) > MAX_EXTRAS_BYTES ? TOO_MUCH : null
}

const TOO_DEEP = `Nest your own keys at most ${MAX_DEPTH} deep`
const NOT_JSON = 'Send only JSON values in your own keys'
const TOO_MUCH = `Your own keys may hold ${MAX_EXTRAS_BYTES} bytes of JSON together`
/** Looks at no more values than may stand there. */
function faultIn(value: unknown, depth: number, left: { values: number }): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : NOT_JSON
  if (typeof value !== 'object' || value === null) return null
  if (ArrayBuffer.isView(value)) return NOT_JSON
  if (depth === 0) return TOO_DEEP
  return Array.isArray(value)
    ? faultAmong(value, depth, left)
    : faultBehind(value as Record<string, unknown>, depth, left)
}
function faultAmong(values: readonly unknown[], depth: number, left: { values: number }): string | null {
  left.values -= values.length
  if (left.values < 0) return TOO_MUCH
  for (const one of values) {
    const fault = faultIn(one, depth - 1, left)
    if (fault !== null) return fault
  }
  return null
}
/** Also drops the keys that could change an object's prototype. */
function faultBehind(entries: Record<string, unknown>, depth: number, left: { values: number }): string | null {
  for (const key of FORBIDDEN) if (Object.hasOwn(entries, key)) Reflect.deleteProperty(entries, key)
  return faultAmong(Object.values(entries), depth, left)
}
/** Bytes are no object here: each of them would be a key. */
const isObject = (raw: unknown): raw is Record<string, unknown> =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw) && !ArrayBuffer.isView(raw)

/** An object of ours that clients fill freely, such as an activity's `info`: the same bounds as unknown keys. */
export const freeObject = z.preprocess((raw, context) => {
  if (isObject(raw)) {
    const own: Record<string, unknown> = { ...raw }
    checkExtras(own, 0, context)
    return own
  }
  context.addIssue({ code: 'custom', message: 'Send a JSON object' })
  return z.NEVER
}, z.custom<JsonObject>())

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]/g
/** Text of one line, with control and bidi-control characters taken out. */
export const line = (max: number) =>
  z
    .string()
    .transform((text) => text.replace(CONTROLS, '').trim())
    .pipe(z.string().max(max))
/** The same where old clients send numbers. */
export const lineOrNumber = (max: number) =>
  z.preprocess((raw) => (typeof raw === 'number' ? String(raw) : raw), line(max))
/** `web`, or the channel of a connector: an open list. */
export const channel = line(32).transform(channelName)
/** A key or an id that clients choose. */
export const token = (max: number) =>
  z.preprocess((raw) => (typeof raw === 'number' ? String(raw) : raw), z.string().min(1).max(max))

const encoder = new TextEncoder()
const bytesOf = (text: string): number => encoder.encode(text).length

/** Text of at most so many bytes of UTF-8; more is `tooLarge`. */
export const textUpTo = (bytes: number) =>
  z.string().refine((text) => text.length * 3 <= bytes || bytesOf(text) <= bytes, {
    error: `Send at most ${bytes} bytes of text`,
    params: { [TOO_LARGE]: true },
  })

/** Parses at the door. The error names paths, never values. */
export function parse<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> {
  const parsed = safely(schema, raw)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const details = [...new Set(issues.map(({ path }) => path.join('.')).filter(Boolean))].slice(0, 16)
  const tooLarge = issues.some((issue) => issue.code === 'custom' && issue.params?.[TOO_LARGE] === true)
  const sentence = issues
    .slice(0, 4)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('. ')
  throw new GatewayError(tooLarge ? 'tooLarge' : 'invalidRequest', `${sentence}.`, { details })
}

/** A value may pretend to have a length that cannot be compared: the schema throws then, where it should refuse. */
function safely<S extends z.ZodType>(schema: S, raw: unknown): z.ZodSafeParseResult<z.output<S>> {
  try {
    return schema.safeParse(raw)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new GatewayError('invalidRequest', 'This request cannot be read. Send the types that the API documents.', {
      cause,
    })
  }
}
