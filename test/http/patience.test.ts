// Requests that take much and have time: they begin one after the other, and nobody else waits for them.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Request, Response } from 'express'
import { patience } from '../../src/http/patience'
import { eventually } from '../support/eventually'

/** Patient are those that get. */
function door() {
  const handler = patience(({ method }) => method === 'GET')
  const begun: IncomingMessage[] = []
  const answers = new Map<IncomingMessage, ServerResponse>()
  const ask = (method: string): IncomingMessage => {
    const request = new IncomingMessage(new Socket())
    request.method = method
    const answer = new ServerResponse(request)
    answers.set(request, answer)
    void handler(request as Request, answer as Response, () => begun.push(request))
    return request
  }
  return { ask, begun, end: (request: IncomingMessage) => answers.get(request)?.emit('close') }
}

it('lets them begin in the order in which they came, and none in the turn of another', async () => {
  const { ask, begun } = door()
  const asked = Array.from({ length: 20 }, () => ask('GET'))
  const atOnce: number[] = []
  for (let seen = 0; seen < asked.length; seen = begun.length) {
    await new Promise(setImmediate)
    atOnce.push(begun.length - seen)
  }
  expect(begun).toEqual(asked)
  expect(Math.max(...atOnce)).toBe(1)
})
describe('while no time passes', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }))
  afterEach(() => void jest.useRealTimers())
  const fewTurns = async () => {
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
  }

  it('lets the next one begin when the one before has ended, and only then', async () => {
    const { ask, begun, end } = door()
    const [first, second, third] = [ask('GET'), ask('GET'), ask('GET')] as const
    await fewTurns()
    expect(begun).toEqual([first])
    end(first)
    await fewTurns()
    expect(begun).toEqual([first, second])
    end(second)
    await fewTurns()
    expect(begun).toEqual([first, second, third])
  })
  it('lets one begin for each that ends in its turn, and none for one that took longer', async () => {
    const { ask, begun, end } = door()
    const [first, second, third] = [ask('GET'), ask('GET'), ask('GET')] as const
    await fewTurns()
    jest.advanceTimersByTime(10)
    await fewTurns()
    expect(begun).toEqual([first, second])
    end(first)
    await fewTurns()
    expect(begun).toEqual([first, second])
    jest.advanceTimersByTime(10)
    await fewTurns()
    expect(begun).toEqual([first, second, third])
  })
})
it('does not let the others wait', async () => {
  const { ask, begun } = door()
  for (let i = 0; i < 20; i++) ask('GET')
  const before = begun.length
  const other = ask('POST')
  expect(begun.slice(before)).toEqual([other])
  await eventually(() => begun.length === 21)
})
it('begins nothing for whoever has gone while they waited', async () => {
  const { ask, begun } = door()
  const [first, gone, last] = [ask('GET'), ask('GET'), ask('GET')] as const
  gone.destroy()
  await eventually(() => begun.includes(last))
  expect(begun).toEqual([first, last])
})
it('has nobody stand behind those who have gone', async () => {
  const { ask, begun } = door()
  const all = Array.from({ length: 257 }, () => ask('GET'))
  const last = all.pop()!
  for (const gone of all.slice(1)) gone.destroy()
  await eventually(() => begun.length > 0)
  await eventually(() => begun.length > 1)
  expect(begun).toEqual([all[0], last])
})
it('begins again after nobody has asked for a while', async () => {
  const { ask, begun } = door()
  ask('GET')
  await eventually(() => begun.length === 1)
  ask('GET')
  await eventually(() => begun.length === 2)
})
it('holds a number of them, and lets whoever comes beyond those on to where they are refused', async () => {
  const { ask, begun } = door()
  for (let i = 0; i < 257; i++) ask('GET')
  const before = begun.length
  const beyond = ask('GET')
  expect(begun.slice(before)).toEqual([beyond])
  await eventually(() => begun.length === 258)
})
