// The write path by itself: two writers on one engine, and an engine that hangs.
import type { Engine } from '../../src/store/engine'
import { GroupCommit } from '../../src/store/group-commit'
import { MemoryEngine } from '../../src/store/memory-engine'
import { MemoryOutbox } from '../../src/store/memory-outbox'
import { MemoryTables } from '../../src/store/memory-tables'
import type { ConversationId } from '../../src/model/ids'
import { newConversationId } from '../../src/model/new-id'
import { eventually } from '../support/eventually'
import { addressOf, joined, openingAt, said, tenant } from '../support/log-fixtures'

const clock = () => new Date('2030-01-01T00:00:00.000Z')

function openEngine(): Engine {
  const tables = new MemoryTables()
  return new MemoryEngine({ tables, outbox: new MemoryOutbox(tables), now: clock })
}
const arrive = (writer: GroupCommit, refId = '+1') =>
  writer.update({ tenant, address: addressOf(refId) }, (view) =>
    view.conversation
      ? { events: [] }
      : { open: { id: newConversationId(), opening: openingAt(addressOf(refId)) }, events: [joined] },
  )
const say = (writer: GroupCommit, conversationId: ConversationId) =>
  writer.update({ tenant, conversationId }, () => ({ events: [said('x')] }))

describe('group commit', () => {
  it('gives two writers on one engine one conversation and one order', async () => {
    const engine = openEngine()
    const [here, there] = [new GroupCommit({ engine }), new GroupCommit({ engine })]
    const [one, two] = await Promise.all([arrive(here), arrive(there)])
    expect(one.conversation!.id).toBe(two.conversation!.id)
    const id = one.conversation!.id
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, i) => say(i % 2 ? here : there, id)))
    const positions = outcomes.flatMap(({ events }) => events.map((event) => event.position))
    expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 2))
    await Promise.all([here.close(), there.close()])
  })

  it('reads nothing again when it hears what another writer has committed', async () => {
    const engine = openEngine()
    const outcomes: string[] = []
    const watched: Engine = {
      syncs: false,
      load: (needs) => engine.load(needs),
      commit: async (batch) => {
        const outcome = await engine.commit(batch)
        outcomes.push(outcome)
        return outcome
      },
    }
    const [here, there] = [new GroupCommit({ engine: watched }), new GroupCommit({ engine: watched })]
    const id = (await arrive(here)).conversation!.id
    await say(there, id)
    here.onCommitted((events) => there.heard(events))
    await say(here, id).then(() => say(there, id))
    // The second writer was told, the first was not: it finds out.
    expect(outcomes).toEqual(['written', 'written', 'conflict', 'written', 'written'])
    await Promise.all([here.close(), there.close()])
  })
  it('writes what arrives together in one commit', async () => {
    const engine = openEngine()
    const commits: number[] = []
    const counting: Engine = {
      syncs: true,
      load: (needs) => engine.load(needs),
      commit: (batch) => {
        commits.push(batch.events.length)
        return engine.commit(batch)
      },
    }
    const writer = new GroupCommit({ engine: counting })
    const { conversation } = await arrive(writer)
    await Promise.all(Array.from({ length: 100 }, () => say(writer, conversation!.id)))
    expect(commits).toEqual([1, 100])
    await writer.close()
  })

  it('shows what it has at hand as the last commit left it, where nobody else writes', async () => {
    const engine = openEngine()
    const alone = new GroupCommit({ engine })
    const { id } = (await arrive(alone)).conversation!
    await say(alone, id)
    expect(alone.atHand(tenant, id)).toMatchObject({ id, position: 2 })
    expect(alone.atHand('another' as typeof tenant, id)).toBeNull()
    expect(alone.atHand(tenant, newConversationId())).toBeNull()
    alone.forget(id)
    expect(alone.atHand(tenant, id)).toBeNull()
    const beside = new GroupCommit({
      engine: {
        syncs: false,
        load: (needs) => engine.load(needs),
        commit: (batch) => engine.commit(batch),
        hold: () => Promise.resolve('conflict'),
      },
    })
    await say(beside, id)
    expect(beside.atHand(tenant, id)).toBeNull()
    await Promise.all([alone.close(), beside.close()])
  })

  it('keeps the order of a conversation when one of its calls waits for the next batch', async () => {
    const writer = new GroupCommit({ engine: openEngine() })
    const id = (await arrive(writer)).conversation!.id
    const once = { scope: 's', key: 'k' }
    const order: string[] = []
    const call = (name: string, needs: object) =>
      writer.update({ tenant, conversationId: id, ...needs }, () => {
        order.push(name)
        return { events: [] }
      })
    await Promise.all([call('a', { once }), call('a again', { once }), call('b', {})])
    expect(order).toEqual(['a', 'a again', 'b'])
    await writer.close()
  })

  it('refuses what is behind a refused call in its conversation with it, and nothing else', async () => {
    const engine = openEngine()
    let fail: (() => void) | null = null
    let isDown = false
    const failing: Engine = {
      syncs: true,
      load: (needs) => engine.load(needs),
      commit: async (batch) => {
        if (isDown) await new Promise<void>((_, reject) => (fail = () => reject(new Error('The connection is lost'))))
        return engine.commit(batch)
      },
    }
    const writer = new GroupCommit({ engine: failing })
    const [here, there] = [(await arrive(writer)).conversation!.id, (await arrive(writer, '+2')).conversation!.id]
    isDown = true
    const first = say(writer, here)
    await eventually(() => fail !== null)
    const [behind, beside] = [say(writer, here), say(writer, there)]
    const outcomes = Promise.allSettled([first, behind, beside])
    isDown = false
    fail!()
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    await expect(behind).rejects.toMatchObject({ code: 'unavailable' })
    await expect(say(writer, here)).resolves.toMatchObject({ events: [{ position: 2 }] })
    await writer.close()
  })

  describe('on an engine that hangs', () => {
    beforeEach(() => jest.useFakeTimers())
    afterEach(() => jest.useRealTimers())

    it('refuses within two seconds, those in flight and those that come later alike', async () => {
      const never = () => new Promise<never>(() => undefined)
      const hung: Engine = { syncs: true, load: never, commit: never }
      const writer = new GroupCommit({ engine: hung })
      // The first is in flight, the others come while it hangs.
      for (let call = 0; call < 3; call++) {
        const refused = expect(say(writer, newConversationId())).rejects.toMatchObject({ code: 'unavailable' })
        await jest.advanceTimersByTimeAsync(1_999)
        await refused
      }
    })
    it('refuses with a call that is late what is behind it in its conversation, however short that has waited', async () => {
      const never = () => new Promise<never>(() => undefined)
      const hung: Engine = { syncs: true, load: never, commit: never }
      const writer = new GroupCommit({ engine: hung })
      const [here, there] = [newConversationId(), newConversationId()]
      const settled: string[] = []
      const told = (name: string, call: Promise<unknown>) => void call.catch(() => settled.push(name))
      told('first', say(writer, here))
      await jest.advanceTimersByTimeAsync(1_000)
      told('behind', say(writer, here))
      told('beside', say(writer, there))
      await jest.advanceTimersByTimeAsync(999)
      expect(settled).toEqual(['first', 'behind'])
      await jest.advanceTimersByTimeAsync(1_000)
      expect(settled).toEqual(['first', 'behind', 'beside'])
    })
    it('refuses at once when too many wait', async () => {
      const never = () => new Promise<never>(() => undefined)
      const hung: Engine = { syncs: true, load: never, commit: never }
      const writer = new GroupCommit({ engine: hung })
      const calls = Array.from({ length: 10_001 }, () => say(writer, newConversationId()))
      const settled = Promise.allSettled(calls)
      await expect(calls.at(-1)).rejects.toMatchObject({ code: 'unavailable' })
      await jest.advanceTimersByTimeAsync(1_999)
      expect((await settled).every(({ status }) => status === 'rejected')).toBe(true)
    })
  })
})
