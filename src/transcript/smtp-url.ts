// Where the mail server is, and how to speak to it: what SMTP_URL says.
import { isIPv6 } from 'node:net'

export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** From the first byte (`smtps`), by STARTTLS or not at all, or by STARTTLS where the server offers it. */
  readonly tls: 'always' | 'required' | 'offered'
  readonly login: { readonly user: string; readonly password: string } | undefined
  /** A password may go over a connection without TLS. */
  readonly plainLogin: boolean
  /** What we call ourselves in EHLO; the machine's name if not given. */
  readonly name: string | undefined
  /** The name that the server's certificate must bear, where it is not `host`. */
  readonly servername: string | undefined
}

const TLS_OF: Readonly<Record<string, SmtpServer['tls']>> = {
  'smtp:': 'offered',
  'smtp+starttls:': 'required',
  'smtps:': 'always',
}
const SUBMISSION = 587
const SUBMISSIONS = 465
const HOST = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?$/i
const WRONG =
  'SMTP_URL must be smtp://user:password@host:587, smtp+starttls:// or smtps://, with no path, and special characters of ' +
  'user and password percent-encoded.'
const WRONG_OPTION =
  'SMTP_URL takes the options requireTLS=on, plainLogin=on, name=<our host name> and servername=<name in its certificate>, ' +
  'each once.'

/**
 * Reads `SMTP_URL`.
 *
 * - `smtps:` speaks TLS from the first byte, port 465. `smtp:` uses STARTTLS where the server offers it, and
 *   `smtp+starttls:` insists on it; port 587.
 * - `?requireTLS=on` is `smtp+starttls:`. `?plainLogin=on` lets the password go over a connection without TLS. `?name=` is
 *   what we say in EHLO. `?servername=` is the name in the server's certificate.
 *
 * A certificate must be trusted, in every case; one of your own is added with `NODE_EXTRA_CA_CERTS`.
 * @throws a sentence without the URL, for that may hold a password
 */
export function readSmtpUrl(text: string): SmtpServer {
  const url = readUrl(text)
  const scheme = TLS_OF[url.protocol]
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (scheme === undefined || !(isIPv6(host) || HOST.test(host)) || url.port === '0') throw new Error(WRONG)
  const options = readOptions(url.searchParams)
  if (scheme === 'always' && options.requireTLS)
    throw new Error('SMTP_URL with smtps: needs no requireTLS; leave it out.')
  return {
    host,
    port: url.port === '' ? (scheme === 'always' ? SUBMISSIONS : SUBMISSION) : Number(url.port),
    tls: options.requireTLS ? 'required' : scheme,
    login: readLogin(url),
    plainLogin: options.plainLogin,
    name: options.name,
    servername: options.servername,
  }
}

function readUrl(text: string): URL {
  // URL itself would drop tabs and line breaks.
  if (text.length > 2_048 || /[^\x21-\x7e]/.test(text) || !URL.canParse(text)) throw new Error(WRONG)
  const url = new URL(text)
  if (url.hash !== '' || (url.pathname !== '' && url.pathname !== '/')) throw new Error(WRONG)
  return url
}

function readLogin({ username, password }: URL): SmtpServer['login'] {
  if (username === '' && password === '') return undefined
  const login = { user: decoded(username), password: decoded(password) }
  // A NUL would end a field of AUTH PLAIN early.
  if (Object.values(login).some((word) => word === '' || /\p{Cc}/u.test(word))) throw new Error(WRONG)
  return login
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error(WRONG)
  }
}

function readOptions(given: URLSearchParams) {
  const names = [...given.keys()]
  const flag = (name: string): boolean => {
    const value = given.get(name) ?? 'off'
    if (value !== 'on' && value !== 'off') throw new Error(WRONG_OPTION)
    return value === 'on'
  }
  const hostName = (name: string): string | undefined => {
    const value = given.get(name) ?? undefined
    if (value !== undefined && !HOST.test(value)) throw new Error(WRONG_OPTION)
    return value
  }
  const known = ['requireTLS', 'plainLogin', 'name', 'servername']
  if (new Set(names).size < names.length || names.some((name) => !known.includes(name))) throw new Error(WRONG_OPTION)
  return {
    requireTLS: flag('requireTLS'),
    plainLogin: flag('plainLogin'),
    name: hostName('name'),
    servername: hostName('servername'),
  }
}
