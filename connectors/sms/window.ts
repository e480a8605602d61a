// Lets so many submits be outstanding, in the order they came, and holds all of them while the SMSC wants to be left alone.
import { DeliveryError } from '../connector'

/** How many may wait for a place; more are sent back to the outbox, which is durable. */
const MOST_WAITING = 1_000

interface Waiting {
  enter(): void
  refuse(cause: DeliveryError): void
}

export class SubmitWindow {
  private readonly waiting = new Set<Waiting>()
  private free: number
  private pausedUntil = 0
  private timer: NodeJS.Timeout | undefined

  constructor(
    size: number,
    private readonly clock: () => number,
  ) {
    this.free = size
  }

  /** Resolves with a place, to be given back with `leave`; rejects when there is none within `patience` milliseconds. */
  enter(patience: number): Promise<void> {
    if (this.waiting.size >= MOST_WAITING) return Promise.reject(this.busy())
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        this.waiting.delete(one)
        act()
      }
      const one: Waiting = { enter: () => settle(resolve), refuse: (cause) => settle(() => reject(cause)) }
      const timer = setTimeout(() => one.refuse(this.busy()), patience)
      this.waiting.add(one)
      this.admit()
    })
  }

  leave(): void {
    this.free += 1
    this.admit()
  }

  /** Nobody enters for so many milliseconds. */
  pause(milliseconds: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.clock() + milliseconds)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.pausedUntil = 0 // whatever the clock says: it may be set while we wait
      this.admit()
    }, this.pausedUntil - this.clock())
  }

  /** Sends everybody back who waits. */
  refuseAll(cause: DeliveryError): void {
    for (const one of this.waiting) one.refuse(cause)
  }

  close(cause: DeliveryError): void {
    clearTimeout(this.timer)
    this.refuseAll(cause)
  }

  private admit(): void {
    if (this.clock() < this.pausedUntil) return
    for (const one of this.waiting) {
      if (this.free === 0) return
      this.free -= 1
      one.enter()
    }
  }

  private busy(): DeliveryError {
    const paused = Math.ceil((this.pausedUntil - this.clock()) / 1_000)
    return new DeliveryError(paused > 0 ? 'throttled' : 'busy', { retryable: true, retryAfter: Math.max(1, paused) })
  }
}
