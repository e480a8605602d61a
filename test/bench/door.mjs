// @ts-check
// Opens the rooms: one customer and some agents in each, every member on a connection of its own, or the agents on shared ones.
import { Connection } from './wire.mjs'

const AT_ONCE = 10
const QUIET = 250
const AGENTS = ['bench-agent-1', 'bench-agent-2', 'bench-agent-3', 'bench-agent-4']

/**
 * @typedef {{ connection: Connection, from: { id: string, name: string } }} Member
 * @typedef {{ id: string, token?: string, members: Member[] }} Room the customer first, and the customer's token
 * @typedef {{ urls: string[], door: string, rooms: number, agents: Agent[], shared: boolean }} Opening `urls`: the nodes;
 *   neighbours in a room sit on neighbouring nodes. `shared`: an agent has one connection to each node for all rooms.
 * @typedef {{ id: string, name: string, token: string }} Agent
 */

/** Where a member sits. @param {number} nodes @param {number} room @param {number} member */
export const nodeOf = (nodes, room, member) => (room + member) % nodes

/** The customer speaks in half of the rooms, an agent in the others, and each node has as many who speak. @param {number} nodes @param {number} room */
export const senderOf = (nodes, room) => Math.floor(room / nodes) % 2

/** @param {Opening} the @returns {Promise<Room[]>} */
export async function openRooms({ urls, door, rooms, agents, shared }) {
  const numbers = Array.from({ length: rooms }, (_, room) => room)
  const url = (/** @type {number} */ room, /** @type {number} */ member) =>
    urls[nodeOf(urls.length, room, member)] ?? ''
  const opened = await each(numbers, (room) => openRoom(url(room, 0), door, room))
  // All customers before all agents: whoever signs in is told of new conversations, and that is not what is measured.
  for (const [index, { id, name, token }] of agents.entries()) {
    /** @type {Map<string, Promise<Connection>>} */
    const desks = new Map()
    await each(numbers, async (number) => {
      const room = /** @type {Room} */ (opened[number])
      const at = url(number, index + 1)
      const desk = (shared && desks.get(at)) || connect(at, token)
      desks.set(at, desk)
      const connection = await join(await desk, { conversationId: room.id, id, name })
      room.members.push({ connection, from: { id, name } })
    })
  }
  await quiet(opened)
  return opened
}

/** @param {string} url @param {string} door @param {number} room @returns {Promise<Room>} */
async function openRoom(url, door, room) {
  const { conversationId, participant, token } =
    door === 'guarded'
      ? await post(url, '/api/customer/init', {
          channel: 'web',
          firstName: 'Nadia',
          refId: `bench-${String(room).padStart(4, '0')}`,
        })
      : {
          conversationId: `room-${String(room).padStart(17, '0')}`,
          participant: { id: 'c'.repeat(22) },
          token: undefined,
        }
  const from = { id: participant.id, name: 'Nadia' }
  const connection = await join(await connect(url, ''), { conversationId, ...from, token })
  return { id: conversationId, token, members: [{ connection, from }] }
}

/**
 * The agents that sit in every room. Before other nodes start: then those know them, too.
 * @param {{ url: string, door: string, count: number }} the @returns {Promise<Agent[]>}
 */
export async function hireAgents({ url, door, count }) {
  const names = AGENTS.slice(0, count)
  if (door !== 'guarded') return names.map((name) => ({ id: 'a'.repeat(22), name, token: '' }))
  const { BENCH_USER: username, BENCH_PASSWORD: password } = process.env
  const supervisor = await post(url, '/api/agent/login', { username, password })
  return each(names, async (name) => {
    await post(url, '/api/admin/agents', { username: name, name, password, role: 'agent' }, supervisor.token)
    const { token, agent } = await post(url, '/api/agent/login', { username: name, password })
    return { id: agent.id, name, token }
  })
}

/** @param {string} url @param {string} token of the staff, or nothing */
async function connect(url, token) {
  const connection = new Connection(new URL(url), token ? { token } : undefined)
  await connection.opened()
  return connection
}

/** @param {Connection} connection @param {{ conversationId: string, id: string, name: string, token?: string }} body */
async function join(connection, body) {
  const answer = await connection.call('joinConversation', body)
  if (answer?.code !== 200) throw new Error(`joinConversation was answered with ${JSON.stringify(answer)}`)
  return connection
}
/** @param {string} url @param {string} path @param {object} body @param {string} [token] @returns {Promise<any>} */
async function post(url, path, body, token) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`POST ${path} was answered with ${response.status} ${text.slice(0, 300)}`)
  return JSON.parse(text)
}

/** A few at a time. @template T, R @param {T[]} items @param {(item: T) => Promise<R>} work @returns {Promise<R[]>} */
async function each(items, work) {
  /** @type {R[]} */
  const done = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [index, item] of waiting) done[index] = await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return done
}

/** Joins are told to the others: waits until nothing has been heard for a while. @param {Room[]} rooms */
async function quiet(rooms) {
  let last = performance.now()
  const connections = rooms.flatMap(({ members }) => members.map(({ connection }) => connection))
  for (const connection of connections) connection.heard = () => (last = performance.now())
  while (performance.now() - last < QUIET) await new Promise((resolve) => setTimeout(resolve, 50))
}
