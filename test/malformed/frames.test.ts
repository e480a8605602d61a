// 40 000 malformed frames, polling bodies and handshakes against the gateway as a process of its own.
import { chanceOf, seed } from './chance'
import { garbled } from './junk'
import { connectPacket, frameCase, handshakeQuery, pollingBody, type FrameCase } from './frames'
import { GatewayProcess } from './gateway-process'
import { frame, handshake, RawSocket } from './raw-socket'
import { RawHttp, type HttpAnswer } from './raw-http'
import { together, within } from './together'
import { jsonOf, Verdicts } from './verdict'
import { watch } from './watch'

const FRAMES = 33_000
const POLLING = 4_500
const HANDSHAKES = 2_500
const WARM_UP = 8_000
const WORKERS = 48
const PATIENCE = 15_000
/** Acknowledgement ids of ours, which no case uses. */
const BARRIER = 4_200_000

const verdicts = new Verdicts()

function judge(packet: string, about: string): void {
  const acked = /^43\d+(\[.*)$/s.exec(packet)
  if (acked) {
    verdicts.socket((jsonOf(acked[1] ?? '') as unknown[])[0], 'ack', about)
    return
  }
  if (packet.startsWith('42["error",')) {
    verdicts.socket((jsonOf(packet.slice(2)) as unknown[])[1], 'error', about)
    return
  }
  if (/^44\/.*\{"message":"Invalid namespace"\}$/s.test(packet)) {
    verdicts.count('namespace refused')
    return
  }
  if (/^(40|41|6|1|3)/.test(packet)) {
    verdicts.count(`socket.io ${packet.slice(0, 2)}`)
    return
  }
  verdicts.wrong('an unexpected packet', `${packet} to ${about}`)
}

/** A connection that takes case after case; a request of ours behind each tells whether it lives still. */
class Line {
  #passed: (() => void) | null = null
  #about = ''
  #next = BARRIER
  private constructor(private readonly raw: RawSocket) {
    raw.heard = (packet) => {
      if (packet.startsWith(`43${this.#next}[`)) this.#passed?.()
      else judge(packet, this.#about)
    }
  }
  static async open(url: string, engine: 3 | 4): Promise<Line> {
    return new Line(await RawSocket.open(url, { engine }))
  }

  /** False: the server closed. */
  async survives({ kind, bytes }: FrameCase): Promise<boolean> {
    this.#about = kind
    this.#next += 1
    const passed = new Promise<boolean>((resolve) => (this.#passed = () => resolve(true)))
    this.raw.write(Buffer.concat([bytes, frame(`42${this.#next}["endConversation",{}]`)]))
    const closed = this.raw.closed.then(() => false)
    return within(
      PATIENCE,
      Promise.race([passed, closed]),
      () => `An answer after ${kind}: ${bytes.toString('hex', 0, 300)}`,
    )
  }
  close(): void {
    this.raw.close()
  }
}

/** One without an end: the connection is ended behind it, and the server lets go of it. */
async function cut(url: string, one: FrameCase): Promise<void> {
  const raw = await RawSocket.open(url)
  raw.heard = (packet) => judge(packet, one.kind)
  raw.write(one.bytes)
  raw.end()
  await within(PATIENCE, raw.closed, () => `The end after ${one.kind}`)
  verdicts.count('cut: let go')
}

function frameWorker(url: string, range: { next: number; readonly end: number }) {
  let line: Line | null = null
  return async (): Promise<boolean> => {
    if (range.next >= range.end) {
      line?.close()
      return false
    }
    const chance = chanceOf(0, range.next++)
    const one = frameCase(chance)
    if (one.isCut) await cut(url, one)
    else {
      line ??= await Line.open(url, chance.oneIn(10) ? 3 : 4)
      const isAlive = await line.survives(one)
      verdicts.count(isAlive ? 'survived' : 'closed')
      if (!isAlive) line = null
    }
    return true
  }
}

const get = (url: string, query: string) => `GET /socket.io/?${query} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`
const post = (url: string, query: string, body: string, type = 'text/plain;charset=UTF-8') =>
  `POST /socket.io/?${query} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** Engine.IO answers in words of its own below Socket.IO. */
function judgeEngine(answer: HttpAnswer | null, about: string): void {
  if (!answer) {
    verdicts.count('http closed')
    return
  }
  const { status, body } = answer
  if (status >= 500 || status < 200) {
    verdicts.wrong(`HTTP ${status}`, `${body} to ${about}`)
    return
  }
  if (/\bat .+:\d+:\d+/.test(body)) {
    verdicts.wrong('a stack trace', body)
    return
  }
  verdicts.count(`http ${status}`)
}

function pollingWorker(url: string, range: { next: number; readonly end: number }) {
  const http = new RawHttp(url)
  return async (): Promise<boolean> => {
    if (range.next >= range.end) {
      http.close()
      return false
    }
    const engine = range.next % 5 === 0 ? 3 : 4
    const query = await openPolling(url, http, engine)
    let isOpen = true
    // A session takes bodies until one of them was too much for it.
    for (let i = 0; isOpen && i < 8 && range.next < range.end; i++) {
      const chance = chanceOf(1, range.next++)
      const body = pollingBody(chance)
      const answer = await http.ask(post(url, query, body, chance.oneIn(8) ? 'application/octet-stream' : undefined))
      judgeEngine(answer, body)
      isOpen = answer?.status === 200
    }
    if (isOpen) await endPolling(url, http, query)
    return true
  }
}
/** Answers the query that names the session. */
async function openPolling(url: string, http: RawHttp, engine: 3 | 4): Promise<string> {
  const opened = await http.ask(get(url, `EIO=${engine}&transport=polling`))
  const sid = /"sid":"([^"]+)"/.exec(opened?.body ?? '')?.[1]
  if (sid === undefined) throw new Error(`No session: ${opened?.body}`)
  const query = `EIO=${engine}&transport=polling&sid=${sid}`
  if (engine === 4) await http.ask(post(url, query, '40'))
  return query
}
async function endPolling(url: string, http: RawHttp, query: string): Promise<void> {
  const heard = await http.ask(get(url, query))
  for (const packet of (heard?.body ?? '').split('\u001e')) if (packet.startsWith('4')) judge(packet, 'a polling body')
  await http.ask(post(url, query, '1'))
}

function handshakeWorker(url: string, range: { next: number; readonly end: number }) {
  const http = new RawHttp(url)
  return async (): Promise<boolean> => {
    if (range.next >= range.end) {
      http.close()
      return false
    }
    const chance = chanceOf(2, range.next++)
    if (chance.oneIn(2)) {
      const query = handshakeQuery(chance)
      judgeEngine(await http.ask(get(url, query)), query)
    } else if (chance.oneIn(3)) {
      const upgrade = handshake(url, 4, `&${handshakeQuery(chance)}`).replace(
        'EIO=4&',
        chance.pick(['', 'EIO=9&', 'EIO=4&']),
      )
      const bytes = upgrade.replace('Version: 13', `Version: ${chance.pick(['13', '8', '99', 'x'])}`)
      const answer = await http.ask(bytes, { isLast: true })
      if (answer?.status === 101) verdicts.count('http 101')
      else judgeEngine(answer, bytes)
    } else if (chance.oneIn(3))
      await cut(url, { kind: 'half a CONNECT', bytes: frame(garbled('40{"token":"x"}', chance)) })
    else await connectWith(url, connectPacket(chance))
    return true
  }
}
async function connectWith(url: string, packet: string): Promise<void> {
  const raw = await RawSocket.open(url, { connect: packet }).catch(() => null)
  const { opening = '' } = raw ?? {}
  raw?.close()
  const refused = /^44(\{.*)$/s.exec(opening)
  if (refused) {
    const { message, data } = jsonOf(refused[1] ?? '') as { message: string; data: { error: { message: string } } }
    if (message !== data.error.message) verdicts.wrong('a refusal of another shape', opening)
    verdicts.socket(data, 'refusal', packet)
  } else if (opening === '') verdicts.count('connect closed')
  else judge(opening, packet)
}

describe('frames, polling bodies and handshakes that nobody should send', () => {
  let gateway: GatewayProcess
  let watched: Awaited<ReturnType<typeof watch>> | undefined
  beforeAll(async () => {
    gateway = await GatewayProcess.start()
    watched = await watch(gateway)
  })
  afterAll(async () => {
    watched?.close()
    await gateway.close()
  })

  it('crash nothing, leak nothing, and are answered in the documented shape or with a closed connection', async () => {
    console.log(`FUZZ_SEED=${seed}`)
    const { url } = gateway
    const run = async (next: number, end: number) => {
      const range = { next, end }
      const workers = Array.from({ length: WORKERS }, () => frameWorker(url, range))
      await Promise.all(workers.map((worker) => together(1, worker)))
    }
    await run(0, WARM_UP)
    await watched?.warmedUp()
    await run(WARM_UP, FRAMES)
    const polling = { next: 0, end: POLLING }
    const handshakes = { next: 0, end: HANDSHAKES }
    await Promise.all(Array.from({ length: 12 }, () => together(1, pollingWorker(url, polling))))
    await Promise.all(Array.from({ length: 12 }, () => together(1, handshakeWorker(url, handshakes))))
    await watched?.over('Frames', FRAMES + POLLING + HANDSHAKES, verdicts)
  }, 180_000)
})
