// @ts-check
// Opens the rooms: one customer and two agents in each, every member on a connection of its own.
import { Connection } from './wire.mjs'

const AT_ONCE = 10
const QUIET = 250
const AGENTS = ['bench-agent-1', 'bench-agent-2']

/**
 * @typedef {{ connection: Connection, from: { id: string, name: string } }} Member
 * @typedef {{ id: string, members: Member[] }} Room the customer first
 */

/** @param {{ url: string, door: string, rooms: number }} the @returns {Promise<Room[]>} */
export async function openRooms({ url, door, rooms }) {
  const agents =
    door === 'guarded' ? await hireAgents(url) : AGENTS.map((name) => ({ id: 'a'.repeat(22), name, token: '' }))
  const numbers = Array.from({ length: rooms }, (_, room) => room)
  const opened = await each(numbers, (room) => openRoom(url, door, room))
  // All customers before all agents: whoever signs in is told of new conversations, and that is not what is measured.
  for (const { id, name, token } of agents)
    await each(opened, async ({ id: conversationId, members }) => {
      const connection = await join(url, { conversationId, id, name }, token)
      members.push({ connection, from: { id, name } })
    })
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
          refId: `bench-${String(room).padStart(3, '0')}`,
        })
      : {
          conversationId: `room-${String(room).padStart(17, '0')}`,
          participant: { id: 'c'.repeat(22) },
          token: undefined,
        }
  const from = { id: participant.id, name: 'Nadia' }
  const connection = await join(url, { conversationId, ...from, token }, '')
  return { id: conversationId, members: [{ connection, from }] }
}

/** @param {string} url */
async function hireAgents(url) {
  const { BENCH_USER: username, BENCH_PASSWORD: password } = process.env
  const supervisor = await post(url, '/api/agent/login', { username, password })
  return each(AGENTS, async (name) => {
    await post(url, '/api/admin/agents', { username: name, name, password, role: 'agent' }, supervisor.token)
    const { token, agent } = await post(url, '/api/agent/login', { username: name, password })
    return { id: agent.id, name, token }
  })
}

/**
 * @param {string} url @param {{ conversationId: string, id: string, name: string, token?: string }} body
 * @param {string} token of the staff, or nothing
 */
async function join(url, body, token) {
  const connection = new Connection(new URL(url), token)
  await connection.opened()
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
