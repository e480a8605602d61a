// One gateway for all tests of a file: opened before the first, closed after the last.
import type { Parts } from '../../src/gateway'
import { openGateway } from './gateway'

export function withGateway(more: Readonly<Record<string, string>> = {}, parts: Parts & { dataDir?: string } = {}) {
  let opened: Awaited<ReturnType<typeof openGateway>> | null = null
  beforeAll(async () => {
    opened = await openGateway(more, parts)
  })
  afterAll(() => opened?.close())
  return {
    get url(): string {
      if (!opened) throw new Error('The gateway is open while tests run, not before')
      return opened.url
    },
  }
}
