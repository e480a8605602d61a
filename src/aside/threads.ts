// The threads of this process, and how the system ranks them.
import { readdirSync } from 'node:fs'

/** On Linux each thread has a priority of its own, and gives it to those that it starts. Empty where that is not known. */
export function threadsOfProcess(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    return []
  }
}
/** What a system does not know or does not allow is done without. */
export function tryTo(act: () => void): void {
  try {
    act()
  } catch {
    // The work is the same.
  }
}
