// The process: reads the settings, starts the gateway, says where to click, and stops it on a signal.
import './aside/go-first' // first of all
import { ConfigError, readConfig, type Config } from './config'
import { startGateway, type Gateway } from './gateway'

/** A gateway that cannot stop in time is ended by whoever sent the signal, after 30 s as a rule; this is before. */
const STOP_MS = 20_000

async function main(): Promise<void> {
  const config = readConfig()
  const gateway = await startGateway(config)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(gateway))
  say(greeting(config, gateway))
}

async function stop(gateway: Gateway): Promise<void> {
  // Whatever hangs holds nothing that is acknowledged: that is stored, and deliveries in hand are leased for a time.
  const giveUp = (why: string) => {
    process.stderr.write(`Fairlead stopped with something unfinished: ${why}\n`)
    process.exit(0)
  }
  setTimeout(() => giveUp(`it took longer than ${STOP_MS / 1_000} s.`), STOP_MS).unref()
  await gateway.close().catch((cause: unknown) => giveUp(String(cause)))
  process.exit(0)
}

/** For the person at the terminal; the password is told here, and never to the log. */
function greeting(config: Config, { url, firstSupervisor }: Gateway): string {
  const lines = ['', 'Fairlead is ready.', '']
  if (config.demo) lines.push(`  Try it        ${url}/`)
  lines.push(`  API           ${url}/docs`, `  Socket.IO     ${url}/socket.io`)
  if (firstSupervisor.kind === 'generated') {
    const { username, password, file } = firstSupervisor
    lines.push('', `  Sign in as    ${username}`, `  with          ${password}`, `  (kept in ${file})`)
  }
  if (firstSupervisor.kind === 'present' && firstSupervisor.passwordDiffers)
    lines.push('', '  ADMIN_PASSWORD is not the password of ADMIN_USER: the account was left as it is.')
  return [...lines, '', ''].join('\n')
}

const say = (text: string): boolean => process.stdout.write(text)

main().catch((cause: unknown) => {
  const text =
    cause instanceof ConfigError || !(cause instanceof Error) ? String(cause) : (cause.stack ?? cause.message)
  process.stderr.write(`Fairlead could not start.\n${text}\n`)
  process.exit(1)
})
