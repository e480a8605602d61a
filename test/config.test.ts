// The settings: every mistake at once, each in a sentence, none with a secret in it.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_KINDS } from '../src/files/kinds'
import { ConfigError, readConfig, readConnectorConfig, SETTINGS } from '../src/config'

const KEY = 'k'.repeat(32)
const PRODUCTION = {
  NODE_ENV: 'production',
  SECRET_KEY: KEY,
  ADMIN_USER: 'ada',
  ADMIN_PASSWORD: 'correct horse',
  PUBLIC_URL: 'https://chat.example.org',
}
function mistakesOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.mistakes
    throw cause
  }
  return []
}

describe('settings', () => {
  it('need nothing outside production', () => {
    expect(readConfig({})).toEqual({
      production: false,
      demo: true,
      files: { s3: null, maxBytes: 25 * 1024 * 1024, kinds: DEFAULT_KINDS, clamdUrl: null },
      fontsDir: '',
      host: '',
      port: 8080,
      basePath: '',
      publicUrl: null,
      dataDir: './data',
      database: { kind: 'sqlite' },
      databasePool: 10,
      metricsPort: 9464,
      reconnectGrace: 60_000,
      pingInterval: 25_000,
      pingTimeout: 20_000,
      deliveryLease: 60_000,
      idleWarning: 0,
      idleEnd: 86_400_000,
      retention: [],
      customerAuth: 'handle',
      rateLimits: true,
      echoToSender: false,
      connectorAddresses: ['127.0.0.0/8', '::1/128'],
      busSweep: 15_000,
      drain: 0,
      redisUrls: [],
      trustedProxies: [],
      allowedOrigins: 'any',
      logLevel: 'info',
      admin: null,
      secretKeys: [],
      mail: null,
      connectorKeys: [],
      optOutWords: expect.arrayContaining([
        { channel: '*', language: '*', words: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT'] },
      ]) as unknown,
      optInWords: expect.arrayContaining([{ channel: '*', language: '*', words: ['START', 'UNSTOP'] }]) as unknown,
      warnings: [],
    })
  })

  it('are strict in production', () => {
    expect(readConfig(PRODUCTION)).toMatchObject({
      production: true,
      demo: false,
      customerAuth: 'token',
      connectorAddresses: [],
      allowedOrigins: ['https://chat.example.org'],
      admin: { username: 'ada', password: 'correct horse' },
      secretKeys: [KEY],
    })
  })

  it('name every secret that production lacks, at once', () => {
    expect(mistakesOf({ NODE_ENV: 'production', RATE_LIMITS: 'off', PORT: 'x' })).toEqual([
      'PORT must be a number from 0 to 65535.',
      'SECRET_KEY must be set in production.',
      'ADMIN_USER must be set in production.',
      'ADMIN_PASSWORD must be set in production.',
      'PUBLIC_URL must be set in production, or ALLOWED_ORIGINS.',
      'RATE_LIMITS cannot be off in production.',
    ])
    const origins = { ...PRODUCTION, PUBLIC_URL: '' }
    expect(mistakesOf({ ...origins, ALLOWED_ORIGINS: 'https://www.example.org' })).toEqual([])
    expect(mistakesOf({ ...origins, ALLOWED_ORIGINS: '*' })).toEqual([
      'ALLOWED_ORIGINS must name the origins in production; * is for trying out.',
    ])
    expect(mistakesOf({ ...PRODUCTION, DATABASE_URL: 'memory:' })).toHaveLength(1)
  })

  it.each([
    ['PORT', '65536', 'PORT must be a number from 0 to 65535.'],
    ['PORT', '-1', 'PORT must be a number from 0 to 65535.'],
    ['BASE_PATH', 'chat', 'BASE_PATH must start with a slash'],
    ['BASE_PATH', '/../x', 'BASE_PATH must start with a slash'],
    ['BASE_PATH', '//x', 'BASE_PATH must start with a slash'],
    ['PUBLIC_URL', 'https://host/chat', 'PUBLIC_URL must be an origin'],
    ['PUBLIC_URL', 'ftp://host', 'PUBLIC_URL must be an origin'],
    ['HOST', 'not a host', 'HOST must be an address'],
    ['DATABASE_URL', 'mysql://u:hush@db/x', 'postgres://user:password@host:5432/name'],
    ['DATABASE_URL', 'postgres://u:hush@db', 'postgres://user:password@host:5432/name'],
    ['DATABASE_POOL', '1', 'from 2 to 500'],
    ['DATABASE_URL', 'sqlite:/tmp/hush.db', 'in DATA_DIR'],
    ['REDIS_URL', 'redis://:hush@cache', 'REDIS_URL needs a DATABASE_URL of Postgres'],
    ['REDIS_URL', 'http://:hush@cache', 'REDIS_URL must be a redis: or rediss: URL'],
    ['REDIS_URL', 'redis://:hush@cache/0?family=6', 'REDIS_URL must be a redis: or rediss: URL'],
    ['REDIS_URL', 'redis://:hush@cache/1,redis://:hush@cache/2', 'of different hosts'],
    ['BUS_SWEEP', 'often', 'BUS_SWEEP must be a duration'],
    ['DRAIN', '11s', 'DRAIN must be a duration of at most 10 s'],
    ['ALLOWED_ORIGINS', 'https://a.example, www.b.example', 'ALLOWED_ORIGINS must be * or origins'],
    ['TRUSTED_PROXIES', '10.0.0.0/33', 'TRUSTED_PROXIES must be none, or addresses'],
    ['CONNECTOR_ADDRESSES', 'localhost', 'CONNECTOR_ADDRESSES must be none, or addresses'],
    ['CUSTOMER_AUTH', 'none', 'CUSTOMER_AUTH must be handle or token.'],
    ['CONNECTOR_KEYS', 'hush', 'CONNECTOR_KEYS must be entries'],
    ['CONNECTOR_KEYS', 'sms:sha256:hush', 'CONNECTOR_KEYS must be entries'],
    ['CONNECTOR_KEYS', 'sms:hush1,sms:hush2,sms:hush3', 'no more than two for one scope'],
    ['CONNECTOR_KEYS', 'sms:hush,whatsapp:hush', 'no key twice'],
    ['ECHO_TO_SENDER', 'maybe', 'ECHO_TO_SENDER must be on or off.'],
    ['RECONNECT_GRACE', '1d', 'RECONNECT_GRACE must be a duration'],
    ['PING_INTERVAL', '0', 'PING_INTERVAL must be a duration'],
    ['IDLE_END', '600h', 'IDLE_END must be a duration'],
    ['SMTP_URL', 'https://hush@mail', 'SMTP_URL must be smtp://user:password@host:587'],
    ['S3_URL', 'https://hush@s3.example.org/bucket', 'S3_URL must be the URL of a bucket'],
    ['FILE_TYPES', 'png,hush', 'FILE_TYPES must be words of png, jpeg'],
    ['MAX_FILE_MB', '0', 'MAX_FILE_MB must be a number of megabytes'],
    ['CLAMD_URL', 'http://hush', 'CLAMD_URL must be tcp://host:3310'],
    ['RETENTION', '90d', 'RETENTION must be days for channels'],
    ['RETENTION', 'sms=0d', 'RETENTION must be days for channels'],
    ['RETENTION', 'sms=12h', 'RETENTION must be days for channels'],
    ['RETENTION', 'sms=40000d', 'RETENTION must be days for channels'],
    ['RETENTION', 'sms=9d,SMS=8d', 'RETENTION must be days for channels'],
    ['SMTP_URL', 'smtp://hush@mail', 'SMTP_URL and MAIL_FROM belong together. Set both or none.'],
    ['ADMIN_PASSWORD', 'hush', 'ADMIN_PASSWORD must have 12 to 256 characters.'],
    ['ADMIN_USER', 'ada', 'ADMIN_USER and ADMIN_PASSWORD belong together. Set both or none.'],
    ['SECRET_KEY', 'hush', 'SECRET_KEY must be one key'],
    ['SECRET_KEY', `${KEY},${KEY},${KEY}`, 'SECRET_KEY must be one key'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of'],
    ['OPT_OUT_WORDS', 'STOP', 'OPT_OUT_WORDS must be entries'],
    ['IDLE_WARNING', '24h', 'IDLE_WARNING must be shorter than IDLE_END'],
  ])('refuse %s=%s with a sentence that does not repeat it', (name, value, sentence) => {
    const mistakes = mistakesOf({ [name]: value }).join('\n')
    expect(mistakes).toContain(sentence)
    expect(mistakes).not.toMatch(/hush|k{32}/)
  })

  it('read durations with their units', () => {
    expect(readConfig({ RECONNECT_GRACE: '90', IDLE_WARNING: '15m', IDLE_END: '24h' })).toMatchObject({
      reconnectGrace: 90_000,
      idleWarning: 900_000,
      idleEnd: 86_400_000,
    })
    expect(readConfig({ IDLE_END: '0', RECONNECT_GRACE: '5s' })).toMatchObject({ idleEnd: 0, reconnectGrace: 5_000 })
  })

  it('tidy paths, origins and lists', () => {
    const config = readConfig({
      BASE_PATH: '/chat/v1/',
      ALLOWED_ORIGINS: ' https://A.example:443/ , http://b.example:8000',
      TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      CONNECTOR_ADDRESSES: 'none',
      DATABASE_URL: 'sqlite:',
    })
    expect(config).toMatchObject({
      basePath: '/chat/v1',
      allowedOrigins: ['https://a.example', 'http://b.example:8000'],
      trustedProxies: ['10.0.0.0/8', '::1'],
      connectorAddresses: [],
      database: { kind: 'sqlite' },
    })
    expect(readConfig({ BASE_PATH: '/' }).basePath).toBe('')
    expect(readConfig({ DATABASE_URL: 'memory:' }).database).toEqual({ kind: 'memory' })
  })

  it('know a Postgres database, for which all nodes must sign alike', () => {
    const url = 'postgres://user:hush@db:5432/fairlead'
    const read = readConfig({ DATABASE_URL: url, DATABASE_POOL: '20', SECRET_KEY: KEY })
    expect(read).toMatchObject({ database: { kind: 'postgres', url }, databasePool: 20 })
    const mistakes = mistakesOf({ DATABASE_URL: url })
    expect(mistakes).toEqual(['SECRET_KEY must be set with Postgres: all nodes sign with the same one.'])
  })
  it('keep of connector keys the hash alone, and warn in production of plain ones', () => {
    const hash = createHash('sha256').update('plain-key').digest('hex')
    const other = hash.replace(/^./, (digit) => (digit === 'a' ? 'b' : 'a'))
    const env = { CONNECTOR_KEYS: `SMS:plain-key, whatsapp/+4930:sha256:${other.toUpperCase()}` }
    expect(readConfig(env).connectorKeys).toEqual([
      { channel: 'sms', account: '', hash, plain: true },
      { channel: 'whatsapp', account: '+4930', hash: other, plain: false },
    ])
    expect(readConfig(env).warnings).toEqual([])
    expect(readConfig({ ...PRODUCTION, ...env }).warnings).toEqual([expect.stringContaining('CONNECTOR_KEYS')])
  })

  it('take opt-out words per channel and language', () => {
    expect(readConfig({ OPT_OUT_WORDS: 'sms/de:stopp| Ende ;*/*:STOP' }).optOutWords).toEqual([
      { channel: 'sms', language: 'de', words: ['STOPP', 'ENDE'] },
      { channel: '*', language: '*', words: ['STOP'] },
    ])
  })
})

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-config-'))
  const file = join(folder, 'secret')
  afterAll(() => rmSync(folder, { recursive: true }))

  it('is read and trimmed', () => {
    writeFileSync(file, `${KEY}\n`)
    expect(readConfig({ SECRET_KEY_FILE: file }).secretKeys).toEqual([KEY])
    expect(readConfig({ ...PRODUCTION, SECRET_KEY: '', SECRET_KEY_FILE: file }).secretKeys).toEqual([KEY])
  })
  it('is a mistake beside the plain setting, when it is missing, and when it is empty', () => {
    writeFileSync(file, KEY)
    expect(mistakesOf({ SECRET_KEY: KEY, SECRET_KEY_FILE: file })).toEqual([
      'SECRET_KEY and SECRET_KEY_FILE are both set. Keep one of them.',
    ])
    expect(mistakesOf({ SECRET_KEY_FILE: `${file}.gone` })).toEqual([
      'SECRET_KEY_FILE names a file that cannot be read (ENOENT).',
    ])
    writeFileSync(file, '\n')
    expect(mistakesOf({ SECRET_KEY_FILE: file })).toEqual(['SECRET_KEY_FILE names an empty file.'])
  })
  it('is offered for secrets only', () => {
    expect(readConfig({ PORT_FILE: file }).port).toBe(8080)
  })
})

describe('a connector’s settings', () => {
  it('have defaults, and are refused with a sentence', () => {
    expect(readConnectorConfig({})).toEqual({
      gatewayUrl: 'http://localhost:8080',
      connectorKey: null,
      connectorInstance: '',
      smppUrl: null,
      dataDir: './data',
      logLevel: 'info',
    })
    expect(
      readConnectorConfig({ GATEWAY_URL: 'https://h/chat/', CONNECTOR_KEY: 'x', SMPP_URL: 'smpp://a:b@smsc:2775' }),
    ).toMatchObject({ gatewayUrl: 'https://h/chat', connectorKey: 'x', smppUrl: 'smpp://a:b@smsc:2775' })
    expect(readConnectorConfig({ CONNECTOR_INSTANCE: 'b-2' }).connectorInstance).toBe('b-2')
    for (const instance of ['../b', 'b c', 'b'.repeat(65)])
      expect(() => readConnectorConfig({ CONNECTOR_INSTANCE: instance })).toThrow(/CONNECTOR_INSTANCE must/)
    expect(() => readConnectorConfig({ SMPP_URL: 'http://hush@x', GATEWAY_URL: 'x' })).toThrow(
      /GATEWAY_URL must[^]*SMPP_URL must/,
    )
  })
})

describe('.env.example', () => {
  const lines = readFileSync(join(__dirname, '../.env.example'), 'utf8').split('\n')
  const example = lines.flatMap((line, index) => {
    const [, name, value] = /^#([A-Z][A-Z0-9_]+)=(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, value: value ?? '', comment: lines[index - 1] ?? '' }]
  })

  it('lists every setting, each once, with a comment above it', () => {
    expect(example.map(({ name }) => name).sort()).toEqual([...SETTINGS].sort())
    for (const { comment } of example) expect(comment).toMatch(/^# \S/)
  })
  it('shows the defaults', () => {
    const shown = Object.fromEntries(example.map(({ name, value }) => [name, value]))
    expect(readConfig(shown)).toEqual(readConfig({}))
    expect(readConnectorConfig(shown)).toEqual(readConnectorConfig({}))
  })
  it('lists all that is read from the environment', () => {
    const asked = new Set<string>()
    const env = new Proxy<Record<string, string>>({}, { get: (_, name) => void asked.add(String(name)) })
    readConfig(env)
    readConnectorConfig(env)
    expect([...asked].map((name) => name.replace(/_FILE$/, '')).filter((name) => !SETTINGS.includes(name))).toEqual([])
  })
})
