// The first act of the gateway's process: the thread that chats go through comes before whatever else V8 does in it.
import { constants, getPriority, setPriority } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { threadsOfProcess, tryTo } from './threads'

/**
 * They collect and compile: a quarter of a processor that is full is theirs, and whatever is free. With less, what is hot
 * would be compiled too late. `nice`, man 7 sched.
 */
const BEHIND = 5
const behind = Math.min(getPriority() + BEHIND, constants.priority.PRIORITY_LOW)

for (const thread of threadsOfProcess()) if (thread !== process.pid) tryTo(() => setPriority(thread, behind))

// After a quiet minute V8 would let the heap grow by a tenth at a time, and each time collect all of it, amid the first
// files and documents that come: it may double. A hint, which a V8 that does not know it leaves alone.
tryTo(() => setFlagsFromString('--heap-growing-percent=100'))
