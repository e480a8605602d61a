// @ts-check
// What files and documents do to a chat that goes on beside them: the latency of its messages while 200 files arrive and 50
// PDFs of 1 000 messages are made at once, against the same chat alone. Nothing may be lost, and memory is bounded.
//
//   npm run build && node test/bench/beside.mjs [--repeats=5] [--warmings=2] [--seconds=90] [--files=200] [--pdfs=50]
//     --seconds=90   of a slice: about as long as the load takes, so that all of it falls into one
//     --rate=1000    messages a second of all rooms together, 100 when it is not said: a quiet node and a busy one differ
//     --rooms=100    each of a customer and an agent, 20 when it is not said
//
// An open loop: messages leave at a fixed rate, and latency is counted from the moment that each was due until the other
// side has it. In life customers and agents sit at other machines: so whoever chats here goes before everybody else on this
// one, which takes a right (CAP_SYS_NICE; without it, what they wait for a processor is counted too, and that is said), and
// whoever sends files and asks for documents behind everybody else. The load is there before its slice begins. First come
// slices of both that count for nothing, for V8 goes on compiling what files go through for some hundreds of them. Then A B
// A B: neighbours in time share the weather, so the median of the ratios of their p99 is the figure to quote.
import { fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { constants, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { member, post } from './people.mjs'
import { START_FLAGS } from './start-flags.mjs'

const ADMIN = { username: 'admin', password: 'correct horse battery' }
const MESSAGES = 1_000
const FILE_SIDE = 700
/** As long as a browser's: what looks for it goes on by as much at a time. */
const BOUNDARY = '----WebKitFormBoundaryBesideTheChat'
/** Of a form, written at a time, in bytes. */
const PIECE = 64 * 1024

const { values: options } = parseArgs({
  options: {
    repeats: { type: 'string', default: '5' },
    warmings: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '90' },
    files: { type: 'string', default: '200' },
    pdfs: { type: 'string', default: '50' },
    rate: { type: 'string', default: '100' },
    rooms: { type: 'string', default: '20' },
  },
})
const {
  repeats,
  warmings,
  seconds,
  files,
  pdfs,
  rate,
  rooms: roomCount,
} = /** @type {Record<keyof typeof options, number>} */ (
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value)]))
)

/** @param {string} url */
const begin = (url) =>
  post(url, '/api/customer/init', { channel: 'web', refId: String(Math.random()), firstName: 'Nadia' })

// ------------------------------------------------------------------------------------------------ the load's own process

/**
 * Of an answer that was read to its end. With as little work as can be: what the load takes is missing to what is measured.
 * @param {string} url @param {string} token @param {Buffer} [form] @returns {Promise<number>}
 */
function statusOf(url, token, form) {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(form && { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': form.length }),
  }
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: form ? 'POST' : 'GET', headers, agent: false }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
      answer.once('error', reject)
    }).once('error', reject)
    // A network brings it bit by bit. A megabyte in one write would be one stay in the kernel, during which the processor runs nothing else.
    const goOn = (/** @type {number} */ at) => {
      const end = at + PIECE
      if (!form || end >= form.length) asked.end(form?.subarray(at))
      else asked.write(form.subarray(at, end), () => goOn(end))
    }
    goOn(0)
  })
}

/** @param {{ url: string, long: { conversationId: string, token: string }, file: string }} plan `long`: what the PDFs are made of; `file`: what is sent */
async function load({ url, long, file }) {
  const picture = readFileSync(file)
  // As many customers as send files at once.
  const rooms = await Promise.all(Array.from({ length: 25 }, () => begin(url)))
  const failures = /** @type {string[]} */ ([])
  const took = { files: 0, pdfs: 0 }
  let refused = 0
  /** @param {keyof typeof took} what @param {() => Promise<number>} ask */
  const until = async (what, ask) => {
    const since = performance.now()
    for (let tries = 0; tries < 20; tries++) {
      const status = await ask().catch((/** @type {unknown} */ cause) => String(cause))
      if (status === 200 || status === 201) {
        took[what] = Math.max(took[what], performance.now() - since)
        return
      }
      if (status !== 429 && status !== 503) {
        failures.push(`${what}: ${status}`)
        return
      }
      refused++
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    failures.push(`${what}: refused too often`)
  }
  const form = Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="picture.png"\r\n\r\n`),
    picture,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ])
  process.send?.('ready')
  await once(process, 'message')
  const uploads = Array.from({ length: files }, (_, i) =>
    until('files', () => {
      const { conversationId, token } = /** @type {any} */ (rooms[i % rooms.length])
      return statusOf(`${url}/api/customer/conversations/${conversationId}/files`, token, form)
    }),
  )
  const documents = Array.from({ length: pdfs }, () =>
    until('pdfs', () => statusOf(`${url}/api/customer/transcript/${long.conversationId}/pdf`, long.token)),
  )
  await Promise.all([...uploads, ...documents])
  process.send?.({ failures, took, refused, bytes: picture.length })
}

// --------------------------------------------------------------------------------------------------------- the chat

/** @param {number[]} values @param {number} share */
const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN
/** @param {number[]} values */
const median = (values) => quantile(values, 0.5)

/** @typedef {import('socket.io-client').Socket} Member */
/** @typedef {{ readonly conversationId: string, readonly customer: Member, readonly agent: Member }} Room */
/** @param {readonly Room[]} rooms @param {string} slice */
async function chat(rooms, slice) {
  const due = new Map()
  const latencies = /** @type {number[]} */ ([])
  const doubled = /** @type {string[]} */ ([])
  for (const { agent } of rooms)
    agent.on('messageArrived', (/** @type {any} */ { text, type }) => {
      if (type !== 'ChatMessage') return
      const at = due.get(text)
      if (at === undefined) doubled.push(text)
      else latencies.push(performance.now() - at)
      due.delete(text)
    })
  const began = performance.now()
  const count = Math.floor(seconds * rate)
  for (let i = 0; i < count; i++) {
    const at = began + (i * 1_000) / rate
    const wait = at - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const { customer, conversationId } = /** @type {Room} */ (rooms[i % rooms.length])
    const text = `${slice} ${i}`
    due.set(text, at)
    customer.emit('sendMessage', { conversationId, type: 'ChatMessage', messageId: text, text }, () => undefined)
  }
  for (let i = 0; i < 100 && due.size > 0; i++) await new Promise((resolve) => setTimeout(resolve, 100))
  for (const { agent } of rooms) agent.off('messageArrived')
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), lost: due.size, doubled: doubled.length }
}

/** Only this process: what it started before stays as it is, and the load says for itself how late it comes. */
function comeFirst() {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST)
  } catch {
    console.log(
      'Without CAP_SYS_NICE: what whoever chats waits for a processor of this machine is counted as if it were the gateway.',
    )
  }
}

/** A picture that nothing makes smaller. @param {string} path */
async function drawNoise(path) {
  const { default: sharp } = await import('sharp')
  const size = { width: FILE_SIDE, height: FILE_SIDE, channels: /** @type {const} */ (3) }
  await sharp(randomBytes(FILE_SIDE * FILE_SIDE * 3), { raw: size })
    .png()
    .toFile(path)
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'beside-'))
  const file = join(folder, 'noise.png')
  await drawNoise(file)
  const gateway = spawn(process.execPath, [...START_FLAGS, 'dist/src/main.js'], {
    env: {
      ...process.env,
      ...{
        PORT: '28201',
        HOST: '127.0.0.1',
        METRICS_PORT: '0',
        LOG_LEVEL: 'error',
        RATE_LIMITS: 'off',
        DATA_DIR: folder,
      },
      ...{ SECRET_KEY: 'x'.repeat(64), ADMIN_USER: ADMIN.username, ADMIN_PASSWORD: ADMIN.password, NODE_ENV: '' },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(gateway.stdout, 'data')
  comeFirst()
  const url = 'http://127.0.0.1:28201'
  const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]) / 1_024
  try {
    const { token: staff } = await post(url, '/api/agent/login', ADMIN)
    const rooms = /** @type {Room[]} */ ([])
    for (let i = 0; i < roomCount; i++) {
      const { conversationId, participant, token } = await begin(url)
      const customer = await member(url, { conversationId, id: participant.id, token })
      rooms.push({ conversationId, customer, agent: await member(url, { conversationId }, staff) })
    }
    const long = await begin(url)
    const { conversationId } = long
    const talker = await member(url, { conversationId, id: long.participant.id, token: long.token })
    for (let i = 0; i < MESSAGES; i++)
      await talker.emitWithAck('sendMessage', {
        conversationId,
        type: 'ChatMessage',
        text: `Line ${i} of a long talk about kettles.`,
      })
    await talker.emitWithAck('endConversation', { conversationId })
    const before = resident()
    /** @param {string} slice */
    const chatBesideLoad = async (slice) => {
      const loader = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
        env: { ...process.env, BESIDE: '1' },
        // SCHED_IDLE: it runs only while nothing that is measured wants the processor.
        execPath: 'chrt',
        execArgv: ['-i', '0', process.execPath],
      })
      loader.send({ url, long, file })
      const died = once(loader, 'exit').then(() =>
        Promise.reject(new Error('The load died; what it said stands above.')),
      )
      const word = () => Promise.race([once(loader, 'message'), died])
      await word() // its start is no part of what it stands for
      const over = word()
      over.catch(() => undefined) // heard below, after the chat
      loader.send('go')
      const heard = await chat(rooms, slice)
      const [told] = await over
      loader.kill()
      return { ...heard, told }
    }
    let faults = 0
    for (let i = 0; i < warmings; i++) {
      const warm = await chatBesideLoad(`warm${i}`)
      faults += warm.lost + warm.doubled + warm.told.failures.length
      console.log(`warming up beside the load: p50 ${warm.p50.toFixed(1)} p99 ${warm.p99.toFixed(1)} ms`)
    }
    const alone = /** @type {number[]} */ ([])
    const beside = /** @type {number[]} */ ([])
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, resident())), 100)
    for (let repeat = 0; repeat < repeats; repeat++) {
      const a = await chat(rooms, `a${repeat}`)
      const { told, ...b } = await chatBesideLoad(`b${repeat}`)
      alone.push(a.p99)
      beside.push(b.p99)
      faults += a.lost + a.doubled + b.lost + b.doubled + told.failures.length
      console.log(
        `${repeat + 1}/${repeats} alone p50 ${a.p50.toFixed(1)} p99 ${a.p99.toFixed(1)} ms; beside p50 ${b.p50.toFixed(1)} p99 ${b.p99.toFixed(1)} ms; ` +
          `last file after ${(told.took.files / 1_000).toFixed(1)} s (${(told.bytes / 1e6).toFixed(1)} MB each), last PDF after ${(told.took.pdfs / 1_000).toFixed(1)} s, asked again ${told.refused} times; ` +
          `lost ${a.lost + b.lost}, doubled ${a.doubled + b.doubled}${told.failures.length > 0 ? `; ${told.failures.slice(0, 3).join(', ')}` : ''}`,
      )
    }
    clearInterval(watch)
    const ratios = beside.map((p99, i) => p99 / (alone[i] ?? NaN))
    console.log(
      `${files} files and ${pdfs} PDFs beside a chat of ${rate} messages a second in ${roomCount} rooms: p99 ${median(beside).toFixed(1)} ms against ${median(alone).toFixed(1)} ms alone, ` +
        `ratios ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}, median ${median(ratios).toFixed(2)} (asked: below 1.5); ` +
        `resident ${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most; lost, doubled and failed ${faults}`,
    )
    if (faults > 0) process.exitCode = 1
  } finally {
    gateway.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.env['BESIDE']) process.once('message', (plan) => void load(/** @type {any} */ (plan)))
else {
  await main()
  process.exit()
}
