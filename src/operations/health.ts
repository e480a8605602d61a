// Whether the process lives, and whether it should be given work: the answers of the two health routes.
import type { BusHealth } from '../bus/bus'

export interface HealthAnswer {
  readonly status: 200 | 503
  readonly body: {
    readonly status: 'live' | 'ready' | 'degraded' | 'unavailable'
    readonly reasons?: readonly string[]
  }
}
export interface HealthDeps {
  /** Resolves when a write would go through now, as `Database.ready` does. */
  ready(): Promise<void>
  /** How well the nodes hear each other, as `Bus.health` says it. */
  bus(): BusHealth
  /** Whether the gateway is on its way down. */
  draining(): boolean
}

const DEADLINE_MS = 2_000

/** Always the same: a process that can answer lives. A store that is away is no reason to be restarted. */
export const liveness = (): HealthAnswer => ({ status: 200, body: { status: 'live' } })

/**
 * Whether a load balancer should send work here. It never throws, and answers within 2 s even when the store hangs.
 * A bus that is degraded is said and still 200: Redis is the same for all nodes, so taking this one out would take out
 * all, and what is acknowledged meanwhile is stored and comes late, but comes.
 * @param deadline milliseconds to wait for the store
 */
export async function readiness(deps: HealthDeps, deadline = DEADLINE_MS): Promise<HealthAnswer> {
  const reasons: string[] = []
  if (deps.draining()) reasons.push('The gateway is shutting down.')
  if (!(await inTime(deps, deadline))) reasons.push('The store takes no writes.')
  if (reasons.length > 0) return { status: 503, body: { status: 'unavailable', reasons } }
  const bus = deps.bus()
  if (bus.status === 'ok') return { status: 200, body: { status: 'ready' } }
  return { status: 200, body: { status: 'degraded', reasons: [`${bus.sentence} Other nodes hear late.`] } }
}

async function inTime(deps: HealthDeps, deadline: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), deadline)))
  const ready = Promise.resolve()
    .then(() => deps.ready())
    .then(
      () => true,
      () => false,
    )
  try {
    return await Promise.race([ready, late])
  } finally {
    clearTimeout(timer)
  }
}
