// @ts-check
// People of a real gateway, for benchmarks that measure it from outside: REST calls, and members on sockets.
import { io } from 'socket.io-client'

/** @param {string} url @param {string} path @param {object} body @param {string} [token] @returns {Promise<any>} */
export async function post(url, path, body, token) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { 'content-type': 'application/json', ...authorization }
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
/** @param {string} url @param {object} join @param {string} [token] */
export async function member(url, join, token) {
  const socket = io(url, { transports: ['websocket'], forceNew: true, auth: token === undefined ? {} : { token } })
  const joined = await socket.emitWithAck('joinConversation', join)
  if (joined.code !== 200) throw new Error(JSON.stringify(joined))
  return socket
}
