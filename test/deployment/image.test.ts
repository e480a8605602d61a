// The Dockerfile, step by step in clean folders: what it copies exists, its build builds, and what is left of it serves in production.
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readDockerfile, type Stage } from '../support/dockerfile'
import { testSettings } from '../support/gateway'
import { fixedPort, Process } from '../support/process'

const run = promisify(execFile)
const ROOT = join(__dirname, '../..')
const [build, final] = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) as [Stage, Stage]
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
/** A build and a start on a machine that has other things to do. */
const PATIENCE = 240_000

/** Of the tools that compile a package without a prebuilt binary, and of the image's own user, nothing can be tried here. */
const OF_THE_SYSTEM = /^(apt-get|mkdir) /

function copy(text: string, from: string, to: string): void {
  const words = text.split(/\s+/).filter((word) => !word.startsWith('--'))
  const target = words.pop() ?? ''
  for (const source of words) {
    const path = source.replace(/^\/app\//, '')
    const destination = join(to, target === './' ? path : target)
    // Links where they can be: a copy of all packages takes its time.
    if (path === 'node_modules') link(join(from, path), destination)
    else cpSync(join(from, path), destination, { recursive: true })
  }
}
function link(from: string, to: string): void {
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'ignore' })
  } catch {
    rmSync(to, { recursive: true, force: true })
    execFileSync('cp', ['-a', from, to])
  }
}

/** `npm ci`, from what is installed here, after asking whether it is what the lock file says. */
async function install(folder: string): Promise<void> {
  await run('npm', ['ls', '--all', '--package-lock-only'], { cwd: folder, maxBuffer: 64 * 1024 * 1024 })
  link(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  // npm writes this one anew, and it must not be the one that is linked.
  rmSync(join(folder, 'node_modules/.package-lock.json'), { force: true })
  cpSync(join(ROOT, 'node_modules/.package-lock.json'), join(folder, 'node_modules/.package-lock.json'))
}

async function follow(stage: Stage, context: string, folder: string): Promise<void> {
  const env = { ...process.env, NODE_ENV: undefined, npm_config_offline: 'true', npm_config_audit: 'false' }
  for (const { name, text } of stage.instructions)
    if (name === 'COPY') copy(text, context, folder)
    else if (name === 'RUN' && text === 'npm ci') await install(folder)
    else if (name === 'RUN' && !OF_THE_SYSTEM.test(text)) await run('sh', ['-c', text], { cwd: folder, env })
}

describe('the Dockerfile', () => {
  it('starts both stages from one image of a version, and copies what exists and is not ignored', () => {
    expect(build.image).toMatch(/^node:\d+/)
    expect(final.image).toBe(build.image)
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
    for (const { text } of build.instructions.filter(({ name }) => name === 'COPY'))
      for (const source of text.split(' ').slice(0, -1)) {
        expect(existsSync(join(ROOT, source))).toBe(true)
        expect(ignored).not.toContain(source)
      }
    for (const { text } of final.instructions.filter(({ name }) => name === 'COPY'))
      expect(text).toMatch(`--from=${build.name} /app/`)
  })
  it('starts the gateway as npm start does', () => {
    const command = final.instructions.find(({ name }) => name === 'CMD')!.words
    expect(command?.join(' ')).toBe(scripts['start'])
  })
})

describe('the image', () => {
  let folder: string
  let image: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairlead-image-'))
    image = join(folder, 'image')
    const workshop = join(folder, 'workshop')
    for (const made of [workshop, image]) mkdirSync(made)
    await follow(build, ROOT, workshop)
    await follow(final, workshop, image)
    await rm(workshop, { recursive: true })
  }, PATIENCE)
  afterAll(() => rm(folder, { recursive: true, force: true }), PATIENCE)

  it('holds what runs, and none of the tools that made it', () => {
    for (const name of ['express', 'socket.io', 'pg', 'better-sqlite3', 'ioredis', 'smpp'])
      expect(existsSync(join(image, 'node_modules', name))).toBe(true)
    for (const name of ['typescript', 'jest', 'esbuild', 'eslint', 'swagger-ui-dist'])
      expect(existsSync(join(image, 'node_modules', name))).toBe(false)
    for (const name of ['src', 'test', 'connectors', '.env']) expect(existsSync(join(image, name))).toBe(false)
  })

  it('serves in production, under a path too, and its health check says so', async () => {
    const port = await fixedPort()
    const settings = {
      ...testSettings(join(folder, 'data'), { PORT: String(port), RATE_LIMITS: 'on', BASE_PATH: '/chat' }),
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://chat.example.org',
    }
    const [, ...command] = final.instructions.find(({ name }) => name === 'CMD')!.words ?? []
    const gateway = new Process({ command, settings, ready: 'Fairlead is ready.', folder: image })
    const [program = '', ...check] = final.instructions.find(({ name }) => name === 'HEALTHCHECK')!.words ?? []
    const isHealthy = () =>
      run(program, check, { env: { PATH: process.env['PATH'], ...settings } }).then(
        () => true,
        () => false,
      )
    expect(await isHealthy()).toBe(false)
    await gateway.start()
    try {
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready`)
      expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }])
      expect((await fetch(`http://127.0.0.1:${port}/chat/docs/`)).status).toBe(200)
      expect(await isHealthy()).toBe(true)
      expect(await gateway.end('SIGTERM')).toBe(0)
    } finally {
      await gateway.end()
    }
  })

  it('has the connectors, which say what they miss', async () => {
    const sms = run(process.execPath, ['dist/connectors/main.js', 'sms'], { cwd: image, env: {} })
    await expect(sms).rejects.toMatchObject({
      code: 1,
      stderr: 'Set SMPP_URL, such as smpp://system_id:password@host:2775.\n',
    })
  })
})
