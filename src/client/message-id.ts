// The sender's own key for a message: the same key is said once, however often it is sent.

/** 122 random bits. `crypto.randomUUID` is missing on pages without HTTPS, `getRandomValues` is not. */
export function newMessageId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
