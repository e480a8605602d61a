// What operators can count, and who can read it.
import type { AddressInfo } from 'node:net'
import { Metrics, metricsServer, openMetrics } from '../../src/operations/metrics'

describe('metrics', () => {
  it('count what happens', async () => {
    const metrics = new Metrics()
    metrics.messageAccepted('web')
    metrics.messageAccepted('web')
    metrics.committed({ decisions: 40, events: 80, seconds: 0.004, messages: new Map() })
    metrics.socket('opened')
    metrics.socket('opened')
    metrics.socket('closed')
    metrics.delivery('sms', 'retried')
    metrics.rateLimited('init')
    metrics.socket('droppedAsSlow')
    metrics.httpRequest({ route: '/api/customer/init', status: 429, seconds: 0.02 })
    const text = await metrics.text()
    for (const line of [
      'fairlead_messages_accepted_total{channel="web"} 2',
      'fairlead_events_committed_total 80',
      'fairlead_commit_batch_size_sum 40',
      'fairlead_commit_seconds_bucket{le="0.005"} 1',
      'fairlead_sockets_open 1',
      'fairlead_deliveries_total{channel="sms",outcome="retried"} 1',
      'fairlead_rate_limited_total{limit="init"} 1',
      'fairlead_slow_sockets_dropped_total 1',
      'fairlead_http_request_seconds_count{route="/api/customer/init",status="4xx"} 1',
    ])
      expect(text.split('\n')).toContain(line)
  })
  it('take no label from outside', async () => {
    const metrics = new Metrics(['pager'])
    for (let i = 0; i < 1_000; i++) {
      metrics.messageAccepted(`channel-${i}`)
      metrics.httpRequest({ route: `/path/${i}`, status: 404, seconds: 0 })
    }
    metrics.messageAccepted('pager')
    const lines = (await metrics.text()).split('\n')
    expect(lines).toContain('fairlead_messages_accepted_total{channel="other"} 1000')
    expect(lines).toContain('fairlead_messages_accepted_total{channel="pager"} 1')
    expect(lines.filter((line) => line.startsWith('fairlead_http_request_seconds_count'))).toHaveLength(201)
  })
  it('of two gateways in one process are apart', async () => {
    const [one, other] = [new Metrics(), new Metrics()]
    one.socket('opened')
    expect(await other.text()).toContain('fairlead_sockets_open 0')
  })
})

describe('the metrics listener', () => {
  it('answers GET /metrics and nothing else', async () => {
    const metrics = new Metrics()
    const server = metricsServer(metrics).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const answer = await fetch(`${url}/metrics?x=1`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await answer.text()).toContain('# HELP fairlead_sockets_open')
    expect((await fetch(`${url}/`)).status).toBe(404)
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
    await new Promise((resolve) => server.close(resolve))
  })
  it('opens on its port, closes, and is off at 0', async () => {
    const probe = metricsServer(new Metrics()).listen(0, '127.0.0.1')
    await new Promise((resolve) => probe.once('listening', resolve))
    const { port } = probe.address() as AddressInfo
    await expect(openMetrics(new Metrics(), port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await new Promise((resolve) => probe.close(resolve))
    const open = await openMetrics(new Metrics(), port)
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('process_resident_memory_bytes')
    await open?.close()
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow()
    expect(await openMetrics(new Metrics(), 0)).toBeNull()
  })
  it('says 500 when the numbers cannot be had', async () => {
    const server = metricsServer({ text: () => Promise.reject(new Error('no numbers')) }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    expect((await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)).status).toBe(500)
    await new Promise((resolve) => server.close(resolve))
  })
})
