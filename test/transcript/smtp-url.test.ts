// SMTP_URL: what it may say, and that no mistake in it shows the password.
import { readSmtpUrl } from '../../src/transcript/smtp-url'

const plain = {
  host: 'mail.example.org',
  port: 587,
  tls: 'offered',
  login: undefined,
  plainLogin: false,
  name: undefined,
  servername: undefined,
}

it.each([
  ['smtp://mail.example.org', {}],
  ['smtp://mail.example.org/', {}],
  ['smtp://mail.example.org:25', { port: 25 }],
  ['SMTP://mail.example.org:25', { port: 25 }],
  ['smtps://mail.example.org', { port: 465, tls: 'always' }],
  ['smtps://mail.example.org:2465', { port: 2465, tls: 'always' }],
  ['smtp+starttls://mail.example.org', { tls: 'required' }],
  ['smtp://mail.example.org?requireTLS=on', { tls: 'required' }],
  ['smtp://mail.example.org?requireTLS=off', {}],
  [
    'smtp://[2001:db8::1]:25?servername=mail.example.org',
    { host: '2001:db8::1', port: 25, servername: 'mail.example.org' },
  ],
  ['smtp://192.0.2.1?name=gateway.example.org', { host: '192.0.2.1', name: 'gateway.example.org' }],
  ['smtp://mail_relay:25', { host: 'mail_relay', port: 25 }],
  [
    'smtp://ann%40example.org:p%2F%3A%40%20%C3%A4@mail.example.org?plainLogin=on',
    { login: { user: 'ann@example.org', password: 'p/:@ ä' }, plainLogin: true },
  ],
])('%s is understood', (text, expected) => {
  expect(readSmtpUrl(text)).toEqual({ ...plain, ...expected })
})

it.each([
  '',
  'mail.example.org:25',
  'http://mail.example.org',
  'smtp:',
  'smtp://',
  'smtp://user:hunter2@',
  'smtp://user:hunter2@mail.example.org:0',
  'smtp://user:hunter2@mail.example.org:65536',
  'smtp://user:hunter2@mail.example.org/path',
  'smtp://user:hunter2@mail.example.org#part',
  'smtp://user:hunter2#x@mail.example.org',
  'smtp://user:hunter2/x@mail.example.org',
  'smtp://user@mail.example.org',
  'smtp://:hunter2@mail.example.org',
  'smtp://user:hunter2%ZZ@mail.example.org',
  'smtp://user:hunter2%00@mail.example.org',
  'smtp://user:hunter2%0D%0ARSET@mail.example.org',
  'smtp://user:hunter2\r\n@mail.example.org',
  ' smtp://user:hunter2@mail.example.org',
  'smtp://user:hunter2@mail.example.org,relay.example.org',
  'smtp://user:hunter2@-mail.example.org',
  `smtp://user:hunter2@${'a'.repeat(254)}`,
  'smtp://user:hunter2@mail.example.org?hunter2=1',
  'smtp://user:hunter2@mail.example.org?requireTLS=hunter2',
  'smtp://user:hunter2@mail.example.org?requireTLS=on&requireTLS=off',
  'smtp://user:hunter2@mail.example.org?name=hunter2%0D%0A',
  'smtp://user:hunter2@mail.example.org?servername=',
  'smtp://user:hunter2@mail.example.org?proxy=http://hunter2',
  'smtps://user:hunter2@mail.example.org?requireTLS=on',
  `smtp://user:hunter2@mail.example.org?name=${'a'.repeat(3_000)}`,
])('%j is refused with a sentence without the password', (text) => {
  expect(() => readSmtpUrl(text)).toThrow(/^SMTP_URL (must be|takes|with)/)
  expect(() => readSmtpUrl(text)).not.toThrow('hunter2')
})
