// The kinds of settings: how a text of the environment is read, and refused in a sentence without the text.
import { z } from 'zod'

/** Timers count milliseconds in 31 bits. */
const LONGEST = 24 * 24 * 3_600_000

/** One setting: its fallback, what it must be, and the schema that reads it. A mistake never holds the value. */
export const setting = <T>(fallback: T, rule: string, schema: z.ZodType<T, string>) =>
  z
    .string()
    .optional()
    .transform((text, context): T => {
      if (text === undefined) return fallback
      const read = schema.safeParse(text)
      if (read.success) return read.data
      context.issues.push({ code: 'custom', message: rule, input: '' })
      return z.NEVER
    })

/** By a reader that throws; what it says may name a part of the value, and is not shown. */
export const readBy = <T>(read: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return read(text)
    } catch {
      context.addIssue('not readable')
      return z.NEVER
    }
  })
export const number = (fallback: number, max: number) =>
  setting(
    fallback,
    `must be a number from 0 to ${max}.`,
    z.string().regex(/^\d+$/).transform(Number).pipe(z.number().max(max)),
  )
export const choice = <T extends string>(values: readonly [T, ...T[]]) =>
  setting<T | null>(null, `must be ${values.join(' or ')}.`, z.enum(values))
export const flag = setting(
  false,
  'must be on or off.',
  z.enum(['on', 'off', 'true', 'false', '1', '0']).transform((word) => ['on', 'true', '1'].includes(word)),
)
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }
export const milliseconds = (longest: number, shortest = 0) =>
  z
    .string()
    .regex(/^\d+[smh]?$/)
    .transform((text) => parseInt(text, 10) * (UNITS[text.slice(-1)] ?? 1000))
    .pipe(z.number().min(shortest).max(longest))
export const duration = (fallback: number, shortest = 0) =>
  setting(
    fallback,
    `must be a duration such as 90 (seconds), 90s, 15m or 24h, ${shortest > 0 ? `at least ${shortest / 1000}s and ` : ''}at most 24 days.`,
    milliseconds(LONGEST, shortest),
  )
export const text = (rule: string, schema: z.ZodType<string, string>) => setting<string | null>(null, rule, schema)

export const items = (separator: string) =>
  z.string().transform((text) =>
    text
      .split(separator)
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
export const url = (protocols: readonly string[]) =>
  z.string().refine((value) => {
    if (!URL.canParse(value)) return false
    const { protocol, hostname } = new URL(value)
    return protocols.includes(protocol) && hostname !== ''
  })
