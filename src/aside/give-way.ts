// The first act of a process beside the gateway, before it loads anything: whoever waits for a document or a picture has time, whoever chats has none.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { threadsOfProcess, tryTo } from './threads'

const LOWEST = constants.priority.PRIORITY_LOW

tryTo(() => setPriority(LOWEST))
for (const thread of threadsOfProcess()) {
  tryTo(() => setPriority(thread, LOWEST))
  // The lowest priority still has its slice to the end when a chat wakes up; this class does not: SCHED_IDLE, man 7 sched.
  tryTo(() => execFileSync('chrt', ['-i', '-p', '0', String(thread)], { stdio: 'ignore' }))
}
// Where memory runs short, this process is ended rather than the gateway: man 5 proc_pid_oom_score_adj.
tryTo(() => writeFileSync('/proc/self/oom_score_adj', '1000'))
// V8 aborts when its heap is full, and a core would hold what people said: man 5 core.
tryTo(() => writeFileSync('/proc/self/coredump_filter', '0'))
