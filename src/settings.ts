// What each setting of the environment must be: one schema and one sentence per name, without a word on how it is used.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { choice, duration, flag, items, milliseconds, number, readBy, setting, text, url } from './setting-kinds'
import { readMailFrom, type MailFrom } from './transcript/mail-address'
import { readSmtpUrl, type SmtpServer } from './transcript/smtp-url'
import { ALL_KINDS, DEFAULT_KINDS, type Kind } from './files/kinds'

export interface ConnectorKey {
  readonly channel: string
  /** Empty: every account of the channel. */
  readonly account: string
  /** SHA-256 of the key, hexadecimal. */
  readonly hash: string
  /** It stood in the environment in plain. */
  readonly plain: boolean
}
/** Words that a customer says to stop or start notifications, compared with the whole trimmed text in any case. */
export interface ChannelWords {
  /** A channel's name, or `*`. */
  readonly channel: string
  /** A language's primary tag such as `de`, or `*`. */
  readonly language: string
  /** In upper case. */
  readonly words: readonly string[]
}

/** How long what ended on a channel is kept. */
export interface ChannelKeeping {
  /** A channel's name, or `*` for those that are not named. */
  readonly channel: string
  readonly days: number
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
/** A process has 20 s to end, and needs some of them for other things. */
const LONGEST_DRAIN = 10_000
/** Instances of Redis; each is a connection or two of every node. */
const MAX_REDIS = 16
const MIN_KEY_BYTES = 32
const MIN_ADMIN_PASSWORD = 12

const networks = setting<readonly string[] | null>(
  null,
  'must be none, or addresses and networks such as 10.0.0.0/8 or fd00::/8, separated by commas.',
  z.union([
    z.literal('none').transform(() => []),
    items(',').pipe(z.array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]))),
  ]),
)

/** One instance of Redis; Redis itself has database numbers, and channels know nothing of them. */
const redisUrl = url(['redis:', 'rediss:']).refine((value) => {
  const { pathname, search, hash } = new URL(value)
  return /^\/?\d{0,5}$/.test(pathname) && `${search}${hash}` === ''
})
const areDifferent = (urls: readonly string[]): boolean =>
  new Set(urls.map((text) => new URL(text).host)).size === urls.length
/** A web origin without a path, as browsers send it. */
const origin = url(['http:', 'https:']).transform((value, context) => {
  const { origin, pathname, search, hash, username } = new URL(value)
  if (pathname !== '/' || `${search}${hash}${username}` !== '') context.addIssue('not an origin')
  return origin
})
const origins = setting<'any' | readonly string[] | null>(
  null,
  'must be * or origins such as https://www.example.org, separated by commas.',
  z.union([z.literal('*').transform(() => 'any' as const), items(',').pipe(z.array(origin))]),
)

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const connectorKeys = items(',').transform((entries, context) =>
  entries.map((entry): ConnectorKey => {
    const match = /^([^:/\s]{1,32})(?:\/([^:\s]{1,64}))?:(?:sha256:([0-9a-f]{64})|(?!sha256:)(\S{1,256}))$/i.exec(entry)
    if (!match) context.addIssue('not an entry')
    const [channel = '', account = '', hash, plain = ''] = match?.slice(1) ?? []
    const scope = { channel: channel.toLowerCase(), account }
    return { ...scope, hash: hash?.toLowerCase() ?? sha256(plain), plain: hash === undefined }
  }),
)
const wordLists = items(';').transform((entries, context) =>
  entries.map((entry): ChannelWords => {
    const match = /^([\w*-]{1,32})\/([\w*]{1,8}):(.+)$/.exec(entry)
    if (!match) context.addIssue('not an entry')
    const [channel = '', language = '', words = ''] = match?.slice(1) ?? []
    const list = words.split('|').map((word) => word.trim().toUpperCase())
    return { channel: channel.toLowerCase(), language: language.toLowerCase(), words: list.filter((word) => word) }
  }),
)
const LONGEST_KEEPING_DAYS = 36_500
const keepings = items(',')
  .transform((entries, context) =>
    entries.map((entry): ChannelKeeping => {
      const match = /^([\w*-]{1,32})=([1-9]\d{0,4})d$/.exec(entry)
      if (!match) context.addIssue('not an entry')
      const [channel = '', days = '0'] = match?.slice(1) ?? []
      return { channel: channel.toLowerCase(), days: Number(days) }
    }),
  )
  .refine((all) => all.every(({ days }) => days <= LONGEST_KEEPING_DAYS))
  .refine((all) => new Set(all.map(({ channel }) => channel)).size === all.length)
const words = (builtIn: string) =>
  setting(
    wordLists.parse(builtIn),
    'must be entries such as sms/en:STOP|QUIT or */*:STOP, separated by semicolons.',
    wordLists,
  )
const STOP_WORDS =
  '*/*:STOP|STOPALL|UNSUBSCRIBE|CANCEL|END|QUIT;*/de:STOPP|ABMELDEN|ABBESTELLEN;' +
  '*/fr:ARRET|ARRÊT|ARRETER|ARRÊTER|DESABONNER|DÉSABONNER;*/es:ALTO|BAJA|PARAR|CANCELAR'
const START_WORDS = '*/*:START|UNSTOP;*/de:ANMELDEN;*/fr:REPRENDRE;*/es:ALTA|INICIAR'

const sameScope = (a: ConnectorKey, b: ConnectorKey): boolean => a.channel === b.channel && a.account === b.account

const secretKeys = setting<readonly string[]>(
  [],
  `must be one key, or two separated by a comma, of at least ${MIN_KEY_BYTES} bytes each.`,
  items(',').pipe(
    z
      .array(z.string().refine((key) => Buffer.byteLength(key) >= MIN_KEY_BYTES))
      .min(1)
      .max(2),
  ),
)
/** Where conversations are kept. `memory`: for trying out, lost at the end. */
export type DatabaseSetting =
  { readonly kind: 'sqlite' } | { readonly kind: 'memory' } | { readonly kind: 'postgres'; readonly url: string }
const databaseUrl = z.string().transform((text, context): DatabaseSetting => {
  if (text === 'sqlite:') return { kind: 'sqlite' }
  if (text === 'memory:') return { kind: 'memory' }
  const { success } = url(['postgres:', 'postgresql:']).safeParse(text)
  if (!success || new URL(text).pathname.length < 2) context.addIssue('not a database')
  return { kind: 'postgres', url: text }
})
const dataDir = setting('./data', 'must be a folder.', z.string())
const logLevel = setting<LogLevel>('info', `must be one of ${LOG_LEVELS.join(', ')}.`, z.enum(LOG_LEVELS))

export interface Bucket {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
  readonly pathStyle: boolean
  /** Before every key; empty, or with a slash at its end. */
  readonly prefix: string
}
/** A bucket behind `https://key:secret@host/bucket/prefix?region=name`. */
const bucketUrl = url(['https:', 'http:']).transform((text, context): Bucket => {
  const { protocol, host, username, password, pathname, searchParams } = new URL(text)
  const [bucket = '', ...rest] = pathname
    .slice(1)
    .split('/')
    .filter((part) => part !== '')
  const isKnown = [...searchParams.keys()].every((name) => name === 'region')
  if (username === '' || password === '' || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || !isKnown)
    context.addIssue('not a bucket')
  return {
    endpoint: `${protocol}//${host}`,
    region: searchParams.get('region') ?? 'us-east-1',
    accessKeyId: decodeURIComponent(username),
    secretAccessKey: decodeURIComponent(password),
    bucket,
    pathStyle: true,
    prefix: rest.length > 0 ? `${rest.join('/')}/` : '',
  }
})
const kinds = items(',').pipe(z.array(z.enum(ALL_KINDS)).min(1))

export const gatewayShape = {
  NODE_ENV: text('is any word; production makes the gateway strict.', z.string()),
  PORT: number(8080, 65_535),
  HOST: setting('', 'must be an address or a host name.', z.union([z.ipv4(), z.ipv6(), z.hostname()])),
  BASE_PATH: setting(
    '',
    'must start with a slash, such as /chat, and hold only letters, digits and - . _ ~.',
    z
      .string()
      .regex(/^(\/[\w~-][\w.~-]*)*\/?$/)
      .transform((path) => path.replace(/\/$/, '')),
  ),
  PUBLIC_URL: text('must be an origin such as https://chat.example.org; the path belongs in BASE_PATH.', origin),
  DATA_DIR: dataDir,
  FONTS_DIR: setting('', 'must be a folder.', z.string()),
  DATABASE_URL: setting<DatabaseSetting>(
    { kind: 'sqlite' },
    'must be sqlite: (the default, in DATA_DIR), memory:, or the URL of a Postgres database such as postgres://user:password@host:5432/name.',
    databaseUrl,
  ),
  DATABASE_POOL: setting(
    10,
    'must be a number of connections from 2 to 500.',
    z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(2).max(500)),
  ),
  REDIS_URL: setting<readonly string[]>(
    [],
    'must be a redis: or rediss: URL with nothing behind the host but a database number, or several of different hosts separated by commas; a comma in a password is written %2C.',
    items(',').pipe(z.array(redisUrl).min(1).max(MAX_REDIS)).refine(areDifferent),
  ),
  BUS_SWEEP: duration(15_000),
  DRAIN: setting<number | null>(null, 'must be a duration of at most 10 s, such as 5s.', milliseconds(LONGEST_DRAIN)),
  METRICS_PORT: number(9464, 65_535),
  ALLOWED_ORIGINS: origins,
  TRUSTED_PROXIES: networks,
  CUSTOMER_AUTH: choice(['handle', 'token']),
  CONNECTOR_ADDRESSES: networks,
  CONNECTOR_KEYS: setting(
    [],
    'must be entries such as sms:<key> or whatsapp/<account>:sha256:<64 hexadecimal digits>, separated by commas, no more than two for one scope and no key twice.',
    connectorKeys
      .refine((keys) => keys.every((key) => keys.filter((other) => sameScope(key, other)).length <= 2))
      .refine((keys) => new Set(keys.map(({ hash }) => hash)).size === keys.length),
  ),
  ECHO_TO_SENDER: flag,
  RECONNECT_GRACE: duration(60_000),
  PING_INTERVAL: duration(25_000, 1_000),
  PING_TIMEOUT: duration(20_000, 1_000),
  DELIVERY_LEASE: duration(60_000, 1_000),
  IDLE_WARNING: duration(0),
  IDLE_END: duration(24 * 3_600_000),
  RETENTION: setting<readonly ChannelKeeping[]>(
    [],
    `must be days for channels such as sms=90d,web=30d,*=365d, from 1d to ${LONGEST_KEEPING_DAYS}d, no channel twice.`,
    keepings,
  ),
  RATE_LIMITS: choice(['on', 'off']),
  SMTP_URL: setting<SmtpServer | null>(
    null,
    'must be smtp://user:password@host:587, smtp+starttls:// or smtps://, with special characters percent-encoded and no options but requireTLS, plainLogin, name and servername.',
    readBy(readSmtpUrl),
  ),
  MAIL_FROM: setting<MailFrom | null>(
    null,
    'must be an address such as chat@example.org, or Example Chat <chat@example.org>.',
    readBy(readMailFrom),
  ),
  S3_URL: setting<Bucket | null>(
    null,
    'must be the URL of a bucket such as https://key:secret@s3.example.org/bucket?region=eu-1, with everything special in the key percent-encoded.',
    bucketUrl,
  ),
  MAX_FILE_MB: setting(
    25,
    'must be a number of megabytes from 1 to 2000.',
    z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(1).max(2_000)),
  ),
  FILE_TYPES: setting<readonly Kind[]>(
    DEFAULT_KINDS,
    `must be words of ${ALL_KINDS.join(', ')}, separated by commas.`,
    kinds,
  ),
  CLAMD_URL: text(
    'must be tcp://host:3310 or unix:/path/to/clamd.ctl.',
    z.union([url(['tcp:']), z.string().regex(/^unix:\/./)]),
  ),
  ADMIN_USER: text('must be 1 to 64 characters without spaces.', z.string().regex(/^\S{1,64}$/)),
  ADMIN_PASSWORD: text(
    `must have ${MIN_ADMIN_PASSWORD} to 256 characters.`,
    z.string().min(MIN_ADMIN_PASSWORD).max(256),
  ),
  SECRET_KEY: secretKeys,
  LOG_LEVEL: logLevel,
  OPT_OUT_WORDS: words(STOP_WORDS),
  OPT_IN_WORDS: words(START_WORDS),
}
export const connectorShape = {
  GATEWAY_URL: setting(
    'http://localhost:8080',
    'must be an http or https URL.',
    url(['http:', 'https:']).transform((value) => value.replace(/\/+$/, '')),
  ),
  CONNECTOR_KEY: text('must have at most 512 characters without spaces.', z.string().regex(/^\S{1,512}$/)),
  CONNECTOR_INSTANCE: setting(
    '',
    'must have at most 64 letters, digits, - and _.',
    z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  ),
  SMPP_URL: text('must be an smpp: or ssmpp: URL.', url(['smpp:', 'ssmpp:'])),
  DATA_DIR: dataDir,
  LOG_LEVEL: logLevel,
}
