// Reads the settings once at start, from the environment alone, and reports every mistake at once.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { MailFrom } from './transcript/mail-address'
import type { SmtpServer } from './transcript/smtp-url'
import type { Kind } from './files/kinds'
import {
  type ChannelKeeping,
  type ChannelWords,
  type ConnectorKey,
  connectorShape,
  type DatabaseSetting,
  gatewayShape,
  type LogLevel,
  type Bucket,
} from './settings'

/** Everything the operator decided. Durations are milliseconds. */
export interface Config {
  readonly production: boolean
  /** Whether the demo page is served. */
  readonly demo: boolean
  /** Empty: every address, IPv6 and IPv4. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Empty, or `/chat`: no slash at its end. */
  readonly basePath: string
  /** The origin under which the world reaches the gateway. */
  readonly publicUrl: string | null
  readonly dataDir: string
  /** More fonts for PDFs; empty: those of the build. */
  readonly fontsDir: string
  /** SQLite: a file in `dataDir`. */
  readonly database: DatabaseSetting
  /** Connections to Postgres at most. */
  readonly databasePool: number
  /** Instances of Redis between several nodes; empty: this node is alone. */
  readonly redisUrls: readonly string[]
  /** In which time everything that is followed is compared with the store, for hints that Redis lost; 0: never. */
  readonly busSweep: number
  /** Over which time connections are closed when the gateway stops; 0 on one node, where there is nobody to go to. */
  readonly drain: number
  /** 0: no metrics. */
  readonly metricsPort: number
  readonly reconnectGrace: number
  /** Between two pings of a Socket.IO connection. */
  readonly pingInterval: number
  /** How long a ping may stay unanswered until the connection counts as lost. */
  readonly pingTimeout: number
  /** After which a delivery is given out again that nobody settled, because the node that had it died. */
  readonly deliveryLease: number
  /** 0: no warning. */
  readonly idleWarning: number
  /** 0: a conversation never ends by itself. */
  readonly idleEnd: number
  /** How long what ended is kept, by channel; none: for ever. */
  readonly retention: readonly ChannelKeeping[]
  readonly customerAuth: 'handle' | 'token'
  readonly rateLimits: boolean
  readonly echoToSender: boolean
  /** Networks whose clients are connectors without showing a key. */
  readonly connectorAddresses: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly allowedOrigins: 'any' | readonly string[]
  readonly logLevel: LogLevel
  readonly admin: { readonly username: string; readonly password: string } | null
  /** The first signs, all verify. Empty outside production: the gateway makes one and keeps it in `dataDir`. */
  readonly secretKeys: readonly string[]
  /** Where the bytes of files lie, and what of them is taken. */
  readonly files: {
    /** Null: in `dataDir`. */
    readonly s3: Bucket | null
    /** Of one file. */
    readonly maxBytes: number
    readonly kinds: readonly Kind[]
    /** Null: nobody looks for viruses. */
    readonly clamdUrl: string | null
  }
  /** Null: no mails are sent. */
  readonly mail: { readonly server: SmtpServer; readonly from: MailFrom } | null
  readonly connectorKeys: readonly ConnectorKey[]
  readonly optOutWords: readonly ChannelWords[]
  readonly optInWords: readonly ChannelWords[]
  /** What is allowed but unwise, as sentences for the log. */
  readonly warnings: readonly string[]
}
/** What a connector's own process is told. */
export interface ConnectorConfig {
  readonly gatewayUrl: string
  readonly connectorKey: string | null
  /** Tells the processes of one connector apart; empty where there is one. */
  readonly connectorInstance: string
  readonly smppUrl: string | null
  readonly dataDir: string
  readonly logLevel: LogLevel
}
/** Over which time the connections of one node of several are closed. */
const DRAIN_MS = 5_000
type Environment = Readonly<Record<string, string | undefined>>

/** Every mistake of the environment, one sentence each, none with a value in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(readonly mistakes: readonly string[]) {
    super(`The settings have ${mistakes.length} mistake(s):\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`)
  }
}

/** These may stand in a file, named by `<NAME>_FILE`. */
const SECRETS: readonly string[] = [
  'SECRET_KEY',
  'ADMIN_PASSWORD',
  'CONNECTOR_KEYS',
  'CONNECTOR_KEY',
  'SMTP_URL',
  'S3_URL',
  'DATABASE_URL',
  'REDIS_URL',
  'SMPP_URL',
]
/** Every setting there is; `.env.example` explains each. */
export const SETTINGS: readonly string[] = [...new Set([...Object.keys(gatewayShape), ...Object.keys(connectorShape)])]

/**
 * The gateway's settings.
 * @throws ConfigError with every mistake at once.
 */
export function readConfig(env: Environment = process.env): Config {
  const mistakes: string[] = []
  const raw = gather(env, Object.keys(gatewayShape), mistakes)
  const read = z.object(gatewayShape).safeParse(raw)
  mistakes.push(...sentences(read.error), ...together(raw), ...(raw['NODE_ENV'] === 'production' ? strict(raw) : []))
  if (!read.success || mistakes.length > 0) throw new ConfigError(mistakes)
  return settle(read.data)
}

/**
 * The settings of a connector's own process.
 * @throws ConfigError with every mistake at once.
 */
export function readConnectorConfig(env: Environment = process.env): ConnectorConfig {
  const mistakes: string[] = []
  const read = z.object(connectorShape).safeParse(gather(env, Object.keys(connectorShape), mistakes))
  mistakes.push(...sentences(read.error))
  if (!read.success || mistakes.length > 0) throw new ConfigError(mistakes)
  const { GATEWAY_URL: gatewayUrl, CONNECTOR_KEY: connectorKey, SMPP_URL: smppUrl } = read.data
  const { CONNECTOR_INSTANCE: connectorInstance, DATA_DIR: dataDir, LOG_LEVEL: logLevel } = read.data
  return { gatewayUrl, connectorKey, connectorInstance, smppUrl, dataDir, logLevel }
}

/** Takes the texts as they are, secrets from their files too. Empty is absent. */
function gather(env: Environment, names: readonly string[], mistakes: string[]): Record<string, string | undefined> {
  const present = (name: string): string | undefined => env[name]?.trim() || undefined
  const one = (name: string): string | undefined => {
    const file = SECRETS.includes(name) ? present(`${name}_FILE`) : undefined
    if (file === undefined) return present(name)
    if (present(name) !== undefined) mistakes.push(`${name} and ${name}_FILE are both set. Keep one of them.`)
    try {
      const content = readFileSync(file, 'utf8').trim()
      if (content === '') mistakes.push(`${name}_FILE names an empty file.`)
      return content || undefined
    } catch (cause) {
      const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'error'
      mistakes.push(`${name}_FILE names a file that cannot be read (${code}).`)
      return undefined
    }
  }
  return Object.fromEntries(names.map((name) => [name, one(name)]))
}
const sentences = (error: z.ZodError | undefined): string[] =>
  error?.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`) ?? []

/** What only shows when two settings are seen together. Settings that are wrong by themselves are left to their own sentence. */
function together(raw: Environment): string[] {
  const isProduction = raw['NODE_ENV'] === 'production'
  return [
    ...(isProduction ? [] : both(raw, 'ADMIN_USER', 'ADMIN_PASSWORD')),
    ...both(raw, 'SMTP_URL', 'MAIL_FROM'),
    ...severalNodes(raw, isProduction),
    ...silence(raw),
  ]
}
const both = (raw: Environment, one: string, other: string): string[] =>
  (raw[one] === undefined) === (raw[other] === undefined)
    ? []
    : [`${one} and ${other} belong together. Set both or none.`]
function severalNodes(raw: Environment, isProduction: boolean): string[] {
  const isPostgres = /^postgres(ql)?:/i.test(raw['DATABASE_URL'] ?? '')
  const mistakes: string[] = []
  if (isPostgres && raw['SECRET_KEY'] === undefined && !isProduction)
    mistakes.push('SECRET_KEY must be set with Postgres: all nodes sign with the same one.')
  if (!isPostgres && raw['REDIS_URL'] !== undefined)
    mistakes.push('REDIS_URL needs a DATABASE_URL of Postgres: SQLite means one node, and one node needs no Redis.')
  return mistakes
}
function silence(raw: Environment): string[] {
  const idle = z.object({ warning: gatewayShape.IDLE_WARNING, end: gatewayShape.IDLE_END })
  const { data } = idle.safeParse({ warning: raw['IDLE_WARNING'], end: raw['IDLE_END'] })
  return data && data.warning > 0 && data.warning >= data.end
    ? ['IDLE_WARNING must be shorter than IDLE_END, which it announces.']
    : []
}

/** In production nothing secret has a default. */
function strict(raw: Environment): string[] {
  const mistakes = ['SECRET_KEY', 'ADMIN_USER', 'ADMIN_PASSWORD']
    .filter((name) => raw[name] === undefined)
    .map((name) => `${name} must be set in production.`)
  if (raw['PUBLIC_URL'] === undefined && raw['ALLOWED_ORIGINS'] === undefined)
    mistakes.push('PUBLIC_URL must be set in production, or ALLOWED_ORIGINS.')
  if (raw['ALLOWED_ORIGINS'] === '*')
    mistakes.push('ALLOWED_ORIGINS must name the origins in production; * is for trying out.')
  if (raw['RATE_LIMITS'] === 'off') mistakes.push('RATE_LIMITS cannot be off in production.')
  if (raw['DATABASE_URL'] === 'memory:')
    mistakes.push('DATABASE_URL cannot be memory: in production: a restart would lose everything.')
  return mistakes
}

type Settings = z.output<z.ZodObject<typeof gatewayShape>>

function settle(read: Settings): Config {
  const { ADMIN_USER: username, ADMIN_PASSWORD: password, SMTP_URL: smtp, MAIL_FROM: from } = read
  return {
    ...(read.NODE_ENV === 'production' ? inProduction(read) : outsideProduction(read)),
    host: read.HOST,
    port: read.PORT,
    basePath: read.BASE_PATH,
    publicUrl: read.PUBLIC_URL,
    dataDir: read.DATA_DIR,
    fontsDir: read.FONTS_DIR,
    database: read.DATABASE_URL,
    databasePool: read.DATABASE_POOL,
    redisUrls: read.REDIS_URL,
    busSweep: read.BUS_SWEEP,
    drain: read.DRAIN ?? (read.REDIS_URL.length > 0 ? DRAIN_MS : 0),
    metricsPort: read.METRICS_PORT,
    reconnectGrace: read.RECONNECT_GRACE,
    pingInterval: read.PING_INTERVAL,
    pingTimeout: read.PING_TIMEOUT,
    deliveryLease: read.DELIVERY_LEASE,
    idleWarning: read.IDLE_WARNING,
    idleEnd: read.IDLE_END,
    retention: read.RETENTION,
    rateLimits: read.RATE_LIMITS !== 'off',
    echoToSender: read.ECHO_TO_SENDER,
    trustedProxies: read.TRUSTED_PROXIES ?? [],
    logLevel: read.LOG_LEVEL,
    admin: username !== null && password !== null ? { username, password } : null,
    secretKeys: read.SECRET_KEY,
    files: {
      s3: read.S3_URL,
      maxBytes: read.MAX_FILE_MB * 1024 * 1024,
      kinds: read.FILE_TYPES,
      clamdUrl: read.CLAMD_URL,
    },
    mail: smtp !== null && from !== null ? { server: smtp, from } : null,
    connectorKeys: read.CONNECTOR_KEYS,
    optOutWords: read.OPT_OUT_WORDS,
    optInWords: read.OPT_IN_WORDS,
  }
}
const inProduction = (read: Settings) => ({
  production: true,
  demo: false,
  customerAuth: read.CUSTOMER_AUTH ?? 'token',
  connectorAddresses: read.CONNECTOR_ADDRESSES ?? [],
  allowedOrigins: read.ALLOWED_ORIGINS ?? [read.PUBLIC_URL ?? ''],
  warnings: read.CONNECTOR_KEYS.some((key) => key.plain)
    ? ['CONNECTOR_KEYS holds plain keys. Give their hashes instead: sms:sha256:<hexadecimal digits>.']
    : [],
})
const outsideProduction = (read: Settings) => ({
  production: false,
  demo: true,
  customerAuth: read.CUSTOMER_AUTH ?? 'handle',
  connectorAddresses: read.CONNECTOR_ADDRESSES ?? ['127.0.0.0/8', '::1/128'],
  allowedOrigins: read.ALLOWED_ORIGINS ?? 'any',
  warnings: [],
})
