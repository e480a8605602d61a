// The processes that a process has started, as the kernel tells of them (man 5 proc).
import { readdirSync, readFileSync } from 'node:fs'

export const factOf = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8')

/** Of a process or one of its threads (man 5 proc_pid_stat, fields 3, 14, 19 and 41): its state, its work, its `nice`, its class. */
export function statOf(pid: number, name = 'stat') {
  const fields = factOf(pid, name)
    .replace(/^.*\) /s, '')
    .split(' ')
  return { state: fields[0], ticks: Number(fields[11]), nice: Number(fields[16]), policy: Number(fields[38]) }
}
export const threadsOf = (pid: number) =>
  readdirSync(`/proc/${pid}/task`).map((thread) => statOf(pid, `task/${thread}/stat`))

/** One that its parent, or whoever has it now, has not asked for is gone all the same. */
export function isGone(pid: number): boolean {
  try {
    return /[ZX]/.test(statOf(pid).state!)
  } catch {
    return true
  }
}
/** Those that run this program. */
export function processesOf(parent: number, program: string): number[] {
  const children = readdirSync(`/proc/${parent}/task`).flatMap((thread) =>
    factOf(parent, `task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  )
  return children.filter((pid) => !isGone(pid) && factOf(pid, 'cmdline').includes(program))
}
