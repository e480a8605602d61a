// Sends files into conversations as a browser does, and small real pictures to send.
import sharp from 'sharp'

export interface Uploaded {
  readonly status: number
  readonly json: {
    contentUrl: string
    thumbnailUrl?: string
    name: string
    type: string
    size: number
    error?: unknown
  }
  readonly text: string
}
/** @param bearer the customer's handle or token, a token of the staff, or a connector's key */
export async function upload(
  url: string,
  conversationId: string,
  bearer: string | undefined,
  file: { readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string },
): Promise<Uploaded> {
  const body = new FormData()
  body.set('file', new Blob([file.bytes]), file.name)
  const answer = await fetch(`${url}/api/customer/conversations/${conversationId}/files`, {
    method: 'POST',
    body,
    headers: { connection: 'close', ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
  })
  const text = await answer.text()
  return { status: answer.status, text, json: JSON.parse(text) as Uploaded['json'] }
}
/** A PNG of one colour. */
export async function png(width = 640, height = 480): Promise<Uint8Array<ArrayBuffer>> {
  const made = await sharp({ create: { width, height, channels: 3, background: '#2a7' } })
    .png()
    .toBuffer()
  return new Uint8Array(made)
}
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text))
