// A store of objects that speaks S3, on a free port: s3rver, behind a door that knows what s3rver does not (to list and to abort uploads in parts) and that can be made to fail.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdir, rm } from 'node:fs/promises'
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import S3rver from 's3rver'
import { newFolder } from './databases'

const BUCKET = 'fairlead'
const xml = (text: string) => `<?xml version="1.0" encoding="UTF-8"?>\n${text}`

/** What the door does with a request instead of letting it through; null: it lets it through. */
export type Fault = (request: IncomingMessage) => { status: number; code: string } | 'hang' | null

export class S3Server {
  readonly bucket = BUCKET
  readonly accessKeyId = 'S3RVER'
  readonly secretAccessKey = 'S3RVER'
  fault: Fault = () => null
  /** Uploads in parts that were begun, and neither completed nor aborted: id to key and time. */
  readonly uploads = new Map<string, { key: string; at: Date }>()
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #sockets = new Set<Socket>()

  private constructor(
    private readonly inner: S3rver,
    private readonly innerPort: number,
    private readonly folder: string,
  ) {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }
  static async start(): Promise<S3Server> {
    const folder = await newFolder()
    const inner = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: folder,
      configureBuckets: [{ name: BUCKET, configs: [] }],
    })
    const { port } = await inner.run()
    const server = new S3Server(inner, port, folder)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Objects that show, and uploads that were begun and not ended. */
  async inventory(): Promise<string[]> {
    const entries = await readdir(join(this.folder, BUCKET), { withFileTypes: true, recursive: true })
    const objects = entries.filter(({ name }) => name.endsWith('._S3rver_object')).map(({ name }) => name)
    return [...objects, ...[...this.uploads.values()].map(({ key }) => `${key} in parts`)].sort()
  }
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await this.inner.close()
    await rm(this.folder, { recursive: true })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const fault = this.fault(request)
    if (fault === 'hang') {
      request.resume()
      return
    }
    if (fault) {
      const body = xml(`<Error><Code>${fault.code}</Code><Message>No.</Message></Error>`)
      request.resume()
      request.once('end', () => response.writeHead(fault.status, { 'content-type': 'application/xml' }).end(body))
      return
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', this.endpoint)
    const uploadId = searchParams.get('uploadId')
    if (request.method === 'GET' && searchParams.has('uploads')) this.#list(response)
    else if (request.method === 'DELETE' && uploadId !== null) {
      request.resume()
      response.writeHead(this.uploads.delete(uploadId) ? 204 : 404).end()
    } else this.#pass(request, response, { key: pathname.slice(BUCKET.length + 2), searchParams })
  }
  #list(response: ServerResponse): void {
    const uploads = [...this.uploads].map(
      ([id, { key, at }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${at.toISOString()}</Initiated></Upload>`,
    )
    const body = `<ListMultipartUploadsResult><Bucket>${BUCKET}</Bucket>${uploads.join('')}</ListMultipartUploadsResult>`
    response.writeHead(200, { 'content-type': 'application/xml' }).end(xml(body))
  }
  #pass(
    request: IncomingMessage,
    response: ServerResponse,
    { key, searchParams }: { key: string; searchParams: URLSearchParams },
  ): void {
    const { method, headers, url } = request
    const inner = ask(
      { port: this.innerPort, host: '127.0.0.1', method, path: url, headers, agent: false },
      (answer) => {
        if (method === 'POST' && answer.statusCode === 200) {
          const uploadId = searchParams.get('uploadId')
          if (uploadId !== null) this.uploads.delete(uploadId)
          else if (searchParams.has('uploads')) {
            answer.setEncoding('utf8').once('data', (text: string) => {
              const id = /<UploadId>(.*)<\/UploadId>/.exec(text)?.[1] ?? randomUUID()
              this.uploads.set(id, { key, at: new Date() })
            })
          }
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    inner.on('error', () => response.destroy())
    response.on('close', () => inner.destroy())
    request.pipe(inner)
  }
}
