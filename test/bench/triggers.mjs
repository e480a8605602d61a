// @ts-check
// Triggers: asks a server to say something in a room by itself, over a plain TCP connection, so that saying alone is measured.
import { once } from 'node:events'
import { createServer } from 'node:net'

/** The key of a message carries what is to be checked, in fixed width: the room, and the message's number in its room. */
export const KEY_START = 'be4c0000-'
export const KEY_ROOM = { at: 0, digits: 4 }
export const KEY_NUMBER = { at: 15, digits: 12 }
/** One trigger is the digits of a room and of a number. */
export const TRIGGER_BYTES = KEY_ROOM.digits + KEY_NUMBER.digits

/** The rooms by their numbers. @typedef {{ ids: Record<number, string> }} Driven */

/**
 * Hears triggers until the process ends; those that were read at once come together.
 * @param {(triggers: { room: number, key: string }[]) => void} onTriggers @returns {Promise<number>} the port
 */
export async function hearTriggers(onTriggers) {
  const server = createServer({ noDelay: true }, (socket) => {
    let rest = ''
    socket.setEncoding('latin1').on('error', () => {})
    socket.on('data', (chunk) => {
      const text = rest + chunk
      const end = text.length - (text.length % TRIGGER_BYTES)
      const triggers = []
      for (let at = 0; at < end; at += TRIGGER_BYTES) {
        const digits = text.slice(at, at + KEY_ROOM.digits)
        const number = text.slice(at + KEY_ROOM.digits, at + TRIGGER_BYTES)
        triggers.push({ room: Number(digits), key: `${KEY_START}${digits}-4000-8000-${number}` })
      }
      rest = text.slice(end)
      onTriggers(triggers)
    })
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port
}
