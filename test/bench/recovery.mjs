// @ts-check
// Goal 9: what it costs the event loop that a client resumes, with a long log behind it, beside Socket.IO's own recovery.
//
// Counted is the CPU of the event loop's thread, because the machine is shared, from the connection to the last message
// that was missed; of this is taken what a connection costs that resumes nothing, which is the same for both.
import { median } from './report.mjs'
import { Side } from './side.mjs'

const SPECS = [
  { name: 'ours', file: './ours.mjs' },
  { name: 'recovery', file: './peers/recovery.mjs' },
]
const MISSING = 10
/** Times that all of them come back before the log is long: servers run for days, and their code is compiled by then. */
const WARM_UP = 10

/** @typedef {{ whole: number, connect: number, longest: number }} Figures ms of the event loop for each client */

/** @param {import('./side.mjs').Surroundings} around @param {{ messages: number, clients: number, repeats: number }} plan */
export async function measureRecovery(around, { messages, clients, repeats }) {
  const sides = SPECS.map((spec) => new Side(spec, around))
  /** @type {Record<string, Figures>[]} */
  const done = []
  let faults = 0
  try {
    for (const side of sides) {
      await side.start()
      const [url] = side.urls
      const ids = await side.generator.ask('enter', { url, door: side.door, clients })
      Object.assign(side, { ids })
      for (let round = 0; round < WARM_UP; round++) faults += (await resume(/** @type {any} */ (side), clients)).faults
      await side.nodes[0]?.ask('fill', { like: ids[0], messages }, 240)
    }
    for (let repeat = 0; repeat < repeats; repeat++) {
      const turn = /** @type {Record<string, Figures>} */ ({})
      for (const [i, side] of sides.entries()) {
        const measured = await resume(/** @type {any} */ (side), clients)
        turn[SPECS[i]?.name ?? ''] = measured.figures
        faults += measured.faults
      }
      done.push(turn)
      console.log(
        `  ${repeat + 1}/${repeats} ${SPECS.map(({ name }) => told(name, turn[name])).join('; ')}${faults ? ` FAULTS ${faults}` : ''}`,
      )
    }
    const settings = Object.fromEntries(sides.map((side, i) => [SPECS[i]?.name ?? '', side.settings]))
    return { settings, results: [judge(done, faults, messages)] }
  } finally {
    for (const side of sides) await side.end()
  }
}

/** All clients have heard something, leave, miss some messages, and come back one by one. @param {Side & { ids: string[] }} side @param {number} clients */
async function resume(side, clients) {
  const node = /** @type {import('./child.mjs').Child} */ (side.nodes[0])
  const [url] = side.urls
  const measured = async (/** @type {string} */ question, /** @type {object} */ body) => {
    const before = await node.ask('loop')
    const answer = await side.generator.ask(question, body, 120)
    const after = await node.ask('loop')
    return { answer, cpu: (after.cpu - before.cpu) / clients, longest: after.longest }
  }
  await node.ask('say', { ids: side.ids, messages: 1 })
  await side.generator.ask('leave')
  await new Promise((resolve) => setTimeout(resolve, 300))
  await node.ask('say', { ids: side.ids, messages: MISSING })
  const connect = await measured('connect', { url, times: clients })
  const { answer, cpu, longest } = await measured('resume', { url, missing: MISSING })
  const faults = Object.values(answer).reduce((sum, count) => sum + count, 0)
  return { figures: { whole: cpu, connect: connect.cpu, longest }, faults }
}

/** @param {string} name @param {Figures | undefined} figures */
const told = (name, { whole, connect, longest } = { whole: NaN, connect: NaN, longest: NaN }) =>
  `${name} ${whole.toFixed(2)} ms a client, of it ${connect.toFixed(2)} for connecting, longest turn ${longest.toFixed(1)} ms`

/** @param {Record<string, Figures>[]} done @param {number} faults @param {number} messages @returns {import('./report.mjs').Result} */
function judge(done, faults, messages) {
  const of = (/** @type {string} */ name, /** @type {keyof Figures} */ what) =>
    done.map((turn) => turn[name]?.[what] ?? NaN)
  const own = (/** @type {string} */ name) =>
    of(name, 'whole').map((whole, i) => whole - (of(name, 'connect')[i] ?? NaN))
  const [ours, theirs] = [own('ours'), own('recovery')]
  const about = (/** @type {string} */ name) =>
    `${median(own(name)).toFixed(2)} ms (with connecting ${median(of(name, 'whole')).toFixed(2)}, longest turn ${median(of(name, 'longest')).toFixed(0)})`
  return {
    goal: 9,
    what: 'resume: event loop',
    at: `${messages.toLocaleString('en')} messages`,
    against: 'recovery',
    ratio: median(ours.map((value, i) => value / (theirs[i] ?? NaN))),
    limit: 0.01,
    isFloor: false,
    isVoid: faults > 0,
    figures: `${about('ours')} and ${about('recovery')}`,
  }
}
