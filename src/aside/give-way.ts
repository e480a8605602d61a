// The first act of a process beside the gateway, before it loads anything: whoever waits for a document or a picture has time, whoever chats has none.
import { readdirSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

const LOWEST = constants.priority.PRIORITY_LOW

/** On Linux each thread has a priority of its own, and gives it to those it starts. */
function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    // No Linux: the process has one.
    return [process.pid]
  }
}
/** What a system does not know or does not allow is done without. */
function tryTo(act: () => void): void {
  try {
    act()
  } catch {
    // The work is the same.
  }
}

for (const thread of threads()) tryTo(() => setPriority(thread, LOWEST))
// Where memory runs short, this process is ended rather than the gateway: man 5 proc_pid_oom_score_adj.
tryTo(() => writeFileSync('/proc/self/oom_score_adj', '1000'))
// V8 aborts when its heap is full, and a core would hold what people said: man 5 core.
tryTo(() => writeFileSync('/proc/self/coredump_filter', '0'))
