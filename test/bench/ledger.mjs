// @ts-check
// The book of what every receiver should hear: finds what was lost, doubled, out of order or delivered to a wrong room.

export class Ledger {
  doubled = 0
  misordered = 0
  stray = 0
  #members
  /** The number of the last message of each room. */
  #sent
  /** The highest number that each receiver has heard, and the highest `seq`. */
  #highest
  #seq
  /** What a receiver has been passed over with, and may still hear late. @type {Map<number, Set<number>>} */
  #skipped = new Map()

  /** @param {number} rooms @param {number} members of each */
  constructor(rooms, members) {
    this.#members = members
    this.#sent = new Float64Array(rooms)
    this.#highest = new Float64Array(rooms * members)
    this.#seq = new Float64Array(rooms * members)
  }

  /** @param {number} room @returns {number} the number of the message that is about to be sent, from 1 */
  send(room) {
    const number = (this.#sent[room] ?? 0) + 1
    this.#sent[room] = number
    return number
  }

  /**
   * @param {number} receiver room * members + member @param {number} number @param {number} seq the server's own count
   * @returns {boolean} whether it was heard for the first time
   */
  hear(receiver, number, seq) {
    const highest = this.#highest[receiver] ?? 0
    if (number <= highest) return this.#late(receiver, number)
    if (number === highest + 1) this.#step(receiver, seq)
    else this.#skip(receiver, highest + 1, number)
    this.#highest[receiver] = number
    this.#seq[receiver] = seq
    return true
  }

  /**
   * An event that is no message of ours, such as somebody's joining, has its place in the count, too.
   * @param {number} receiver @param {number} seq
   */
  other(receiver, seq) {
    this.#step(receiver, seq)
    this.#seq[receiver] = seq
  }

  /** What never came; to be asked when nothing is under way. */
  lost() {
    let lost = 0
    this.#highest.forEach(
      (highest, receiver) => (lost += (this.#sent[Math.floor(receiver / this.#members)] ?? 0) - highest),
    )
    for (const numbers of this.#skipped.values()) lost += numbers.size
    return lost
  }

  /** The right message with the wrong `seq` is a fault of order. @param {number} receiver @param {number} seq */
  #step(receiver, seq) {
    const before = this.#seq[receiver] ?? 0
    if (before > 0 && seq !== before + 1) this.misordered++
  }

  /** @param {number} receiver @param {number} from @param {number} to */
  #skip(receiver, from, to) {
    const numbers = this.#skipped.get(receiver) ?? new Set()
    for (let number = from; number < to; number++) numbers.add(number)
    this.#skipped.set(receiver, numbers)
  }

  /** @param {number} receiver @param {number} number */
  #late(receiver, number) {
    const first = this.#skipped.get(receiver)?.delete(number) ?? false
    if (first) this.misordered++
    else this.doubled++
    return first
  }
}

/** Latencies in steps of 10 µs up to 2 s; what is later is counted there. */
export class Latencies {
  #steps = new Uint32Array(200_000)
  #count = 0

  /** @param {number} milliseconds */
  add(milliseconds) {
    const step = Math.min(Math.floor(milliseconds * 100), this.#steps.length - 1)
    this.#steps[step] = (this.#steps[step] ?? 0) + 1
    this.#count++
  }

  /** @param {number} share from 0 to 1 @returns {number} milliseconds */
  percentile(share) {
    let left = Math.ceil(this.#count * share)
    for (let step = 0; step < this.#steps.length; step++) {
      left -= this.#steps[step] ?? 0
      if (left <= 0) return (step + 1) / 100
    }
    return NaN
  }
}
