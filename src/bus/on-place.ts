// Hears one kind of notice about conversations.
import type { Place } from '../model/ids'
import type { Bus } from './bus'

/** Answers how to stop. */
export function onPlace(bus: Bus, kind: 'begun' | 'erased', listener: (place: Place) => void): () => void {
  return bus.subscribe({
    heard: (notice) => {
      if (notice.kind === kind) listener(notice)
    },
  })
}
