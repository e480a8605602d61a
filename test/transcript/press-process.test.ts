// The processes that make PDFs, as the kernel tells of them: what they know, how far they stand back, when they go.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Transcript } from '../../src/transcript/transcript'
import { TranscriptForms } from '../../src/transcript/transcript-forms'
import { eventually } from '../support/eventually'
import { factOf, isGone, processesOf, statOf, threadsOf } from '../support/processes'
import { bytesOf, lineOf, transcriptOf } from '../support/transcripts'

/** Of man 7 sched, as `chrt` sets it, which is in Debian's util-linux and in Alpine's busybox. */
const SCHED_IDLE = 5
const SECRET = 'correct horse battery staple'
/** Hundredths of a second of CPU: whoever has used them has loaded everything and is at work. */
const TICKS_TO_START = 150
const short = transcriptOf([lineOf('hello')])
const long = transcriptOf(Array.from({ length: 20_000 }, (_, i) => lineOf(`message ${i} of a long conversation`)))
const withPicture = transcriptOf([
  lineOf('look', { attachments: [{ type: 'image/png', name: 'a.png', contentUrl: 'https://example.org/a.png' }] }),
])

const pressesOf = (gateway: number) => processesOf(gateway, 'press-main.js')

const running: ChildProcess[] = []
const open: TranscriptForms[] = []
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  await Promise.all(open.splice(0).map((forms) => forms.close()))
})
/** A press whose first picture is not there before it is let go. */
function held() {
  let release = () => {}
  const released = new Promise<null>((resolve) => (release = () => resolve(null)))
  let asked = () => {}
  const wasAsked = new Promise<void>((resolve) => (asked = resolve))
  const pictures = () => {
    asked()
    return released
  }
  const forms = new TranscriptForms({ pictures, limits: { processes: 1 } })
  open.push(forms)
  const print = async (transcript: Transcript) => bytesOf((await forms.render(transcript, { form: 'pdf' })).body)
  /** The process, once it waits for the picture. */
  const pid = async () => {
    await wasAsked
    const [one, ...others] = pressesOf(process.pid)
    expect(others).toEqual([])
    return one!
  }
  return { print, release, pid }
}
/** Runs a program of its own with the built press; `told` is what it said last. */
function program(body: string, settings: { files?: number } = {}) {
  const { files = 1_024 } = settings
  const code = `
    const { TranscriptForms } = require(${JSON.stringify(join(__dirname, '../../dist/src/transcript/transcript-forms.js'))})
    const { openSync, closeSync } = require('node:fs')
    const say = (text) => process.stdout.write(text + '\\n')
    const print = async (forms, transcript) => {
      const { body } = await forms.render(transcript, { form: 'pdf' })
      for await (const chunk of body) chunk
    }
    process.once('message', async ({ short, long, withPicture }) => { ${body} })`
  const child = spawn('sh', ['-c', `ulimit -n ${files}; exec "$0" -e "$1"`, process.execPath, code], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  running.push(child)
  let said = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.send({ short, long, withPicture })
  return { child, pid: child.pid!, told: () => said.trim().split('\n').at(-1) }
}

/** How often its main thread has gone to sleep of its own. */
const sleepsOf = (pid: number): number => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(factOf(pid, 'status'))?.[1])
it('rests in between when it is told to, and makes the same document', async () => {
  const lines = transcriptOf(Array.from({ length: 2_000 }, (_, i) => lineOf(`message ${i} of a long conversation`)))
  let rest = 0
  const forms = new TranscriptForms({ limits: { processes: 1 }, rest: () => rest })
  open.push(forms)
  const print = async () => bytesOf((await forms.render(lines, { form: 'pdf' })).body)
  const first = await print()
  const pid = pressesOf(process.pid)[0]!
  const sleepsFor = async () => {
    const before = sleepsOf(pid)
    expect((await print()).equals(first)).toBe(true)
    return sleepsOf(pid) - before
  }
  const without = await sleepsFor()
  rest = 0.01
  expect(await sleepsFor()).toBeGreaterThan(without + 10)
})
it('comes in its time, however long it is told to rest', async () => {
  const forms = new TranscriptForms({ limits: { processes: 1 }, rest: () => 1_000_000 })
  open.push(forms)
  const lines = transcriptOf(Array.from({ length: 20 }, (_, i) => lineOf(`message ${i}`)))
  expect((await bytesOf((await forms.render(lines, { form: 'pdf' })).body)).subarray(0, 5).toString()).toBe('%PDF-')
})
it('fails with a sentence when its process is killed, and makes the next one in another', async () => {
  const { print, pid } = held()
  const stuck = print(withPicture)
  stuck.catch(() => undefined)
  const first = await pid()
  process.kill(first, 'SIGKILL')
  await expect(stuck).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('its process died') as string,
  })
  expect((await print(short)).subarray(0, 5).toString()).toBe('%PDF-')
  expect(pressesOf(process.pid)).toEqual([expect.any(Number)])
  expect(pressesOf(process.pid)).not.toContain(first)
})
it('does not miss an idle process that was killed', async () => {
  const { print } = held()
  await print(short)
  const [idle] = pressesOf(process.pid)
  process.kill(idle!, 'SIGKILL')
  await eventually(() => pressesOf(process.pid).length === 0)
  await eventually(async () => (await print(short)).length > 0)
  expect(pressesOf(process.pid)).not.toContain(idle)
})
it('keeps its process for the next document, and none when it is closed', async () => {
  const { print } = held()
  await print(short)
  const [first] = pressesOf(process.pid)
  await print(short)
  expect(pressesOf(process.pid)).toEqual([first])
  await open[0]!.close()
  expect(pressesOf(process.pid)).toEqual([])
})
it('runs only where nobody else wants to, on all its threads, and goes first where memory runs short, without a trace', async () => {
  const { print, release, pid } = held()
  const document = print(withPicture)
  const one = await pid()
  const threads = threadsOf(one)
  expect(threads.length).toBeGreaterThan(1)
  for (const { nice, policy } of threads) expect({ nice, policy }).toEqual({ nice: 19, policy: SCHED_IDLE })
  expect(factOf(one, 'oom_score_adj').trim()).toBe('1000')
  expect(Number(factOf(one, 'coredump_filter').trim())).toBe(0)
  release()
  await document
})
it('knows no secret of the gateway', async () => {
  const { NODE_OPTIONS } = process.env
  const settings = { SECRET_KEY: SECRET, DATABASE_URL: `postgres://fairlead:${SECRET}@localhost/fairlead` }
  Object.assign(process.env, settings, { NODE_OPTIONS: '--no-deprecation' })
  try {
    const { print, release, pid } = held()
    const document = print(withPicture)
    const one = await pid()
    const environment = factOf(one, 'environ').split('\0')
    expect(environment).toContain(`PATH=${process.env['PATH']!}`)
    expect(environment.join('\n')).not.toMatch(/SECRET|DATABASE|NODE_OPTIONS|battery/)
    expect(factOf(one, 'cmdline')).not.toContain('battery')
    release()
    await document
  } finally {
    for (const name of Object.keys(settings)) Reflect.deleteProperty(process.env, name)
    if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = NODE_OPTIONS
  }
})
it('finishes its document when a terminal or a service manager tells all processes to end', async () => {
  const { print, release, pid } = held()
  const document = print(withPicture)
  const one = await pid()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(one, signal)
  release()
  expect((await document).subarray(0, 5).toString()).toBe('%PDF-')
  expect(pressesOf(process.pid)).toEqual([one])
})
it.each([
  ['it waits for a picture', 'withPicture'],
  ['it is at work', 'long'],
])('goes when its gateway was killed while %s', async (_, what) => {
  const { child, pid, told } = program(`
    const forms = new TranscriptForms({ pictures: () => { say('asked'); return new Promise(() => {}) } })
    void print(forms, ${what}).then(() => say('made'))`)
  const isUnderWay = () => told() === 'asked' || statOf(pressesOf(pid)[0]!).ticks > TICKS_TO_START
  await eventually(isUnderWay, 20_000)
  expect(told()).not.toBe('made')
  const [press] = pressesOf(pid)
  const end = once(child, 'exit')
  child.kill('SIGKILL')
  await end
  await eventually(() => isGone(press!), 5_000)
})
it('says so when no process can be started, and starts one when that is possible again', async () => {
  const { child, told } = program(`
    const forms = new TranscriptForms()
    const { execPath } = process
    process.execPath = '/nowhere/node'
    const first = await print(forms, short).catch((cause) => cause)
    process.execPath = execPath
    await print(forms, short)
    await forms.close()
    say(first.code + ': ' + first.message)
    process.disconnect()`)
  await once(child, 'exit')
  expect(told()).toMatch(/^unavailable: No process can be started/)
})
it('says so when the gateway may open no more files, and lives on', async () => {
  const { child, told } = program(
    `
    const forms = new TranscriptForms()
    const files = []
    try { for (;;) files.push(openSync('/dev/null')) } catch {}
    const first = await print(forms, short).catch((cause) => cause)
    for (const file of files) closeSync(file)
    await print(forms, short)
    await forms.close()
    say(first.code + ': ' + first.message)
    process.disconnect()`,
    { files: 64 },
  )
  await once(child, 'exit')
  expect(told()).toMatch(/^unavailable: No process can be started/)
})
