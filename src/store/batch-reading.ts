// What the calls of a batch are decided on: what is at hand, what is read, and what is held where other nodes write too.
import type { Place } from '../model/ids'
import { isEmpty } from './batch-rows'
import type { Needs } from './conversation-store'
import { NOTHING, type Batch, type Engine, type Held, type Loaded } from './engine'
import { isUnguarded } from './needs-keys'

interface Call {
  readonly needs: Needs
}
interface Reading<C extends Call> {
  /** Of those that had to be read. */
  readonly loaded: ReadonlyMap<C, Loaded>
  /** Writes what was decided on it; must be called, even with nothing to write. */
  write(batch: Batch): Promise<'written' | 'conflict'>
}

/**
 * At first everything is assumed that the engine finds out at the commit. Held is what it would not find out, and, when
 * the batch is decided again, everything: two nodes that write to one conversation must not race for it for ever.
 * @param batch.unknown those of `entries` that are not at hand
 */
export async function readFor<C extends Call>(
  engine: Engine,
  { entries, unknown, again }: { entries: readonly C[]; unknown: readonly C[]; again: boolean },
): Promise<Reading<C> | 'conflict'> {
  const needs = unknown.map((entry) => entry.needs)
  if (engine.hold && needs.length > 0 && (again || needs.some(isUnguarded))) {
    const held = await engine.hold(needs, entries.flatMap(placeOf))
    if (held === 'conflict') return held
    return { loaded: byCall(unknown, held.loaded), write: (batch) => writeHeld(held, batch) }
  }
  const loaded = needs.length > 0 ? await engine.load(needs) : []
  return {
    loaded: byCall(unknown, loaded),
    write: async (batch) => (isEmpty(batch) ? 'written' : engine.commit(batch)),
  }
}

async function writeHeld(held: Held, batch: Batch): Promise<'written' | 'conflict'> {
  if (!isEmpty(batch)) return held.commit(batch)
  await held.release()
  return 'written'
}

const byCall = <C extends Call>(calls: readonly C[], loaded: readonly Loaded[]): ReadonlyMap<C, Loaded> =>
  new Map(calls.map((call, i) => [call, loaded[i] ?? NOTHING]))

const placeOf = ({ needs: { tenant, conversationId } }: Call): Place[] =>
  conversationId ? [{ tenant, conversationId }] : []
