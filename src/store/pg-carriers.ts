// Registrations of connectors on Postgres: a row per place, and a fence that the row counts.
import type { Tenant } from '../model/ids'
import type { CarrierPlace, CarrierStore, HeldPlace, Instance } from './carrier-store'
import type { PgPool, Statement } from './pg-pool'

/** `$1` replaces the database's clock in tests. */
const NOW = 'coalesce($1::text, iso_time_1(clock_timestamp()))'
const after = (ms: string): string => `iso_time_1(${NOW}::timestamptz + ${ms} * interval '1 millisecond')`
const PLACE = 'tenant, channel, account, instance'

const STATEMENTS = {
  /** A place in which nobody has lived for a day is forgotten, but for that which is taken. */
  forget: {
    name: 'forget-carriers',
    text: `delete from carrier where (${PLACE}) in (
        select ${PLACE} from carrier where tenant = $2 and channel = $3 and alive_until <= ${after('-86400000')}
        for update skip locked
      )`,
  },
  register: {
    name: 'register-carrier',
    text: `insert into carrier as held (${PLACE}, node, fence, alive_until)
      values ($2, $3, $4, $5, $6, 1, ${after('$7::int')})
      on conflict (${PLACE}) do update
        set node = excluded.node, fence = held.fence + 1, alive_until = excluded.alive_until
      returning fence`,
  },
  renew: {
    name: 'renew-carriers',
    text: `with held as (
        select ${PLACE} from carrier where tenant = $2 and node = $3 order by ${PLACE} for no key update
      )
      update carrier set alive_until = ${after('$4::int')}
      where (${PLACE}) in (select ${PLACE} from held) and node = $3 returning ${PLACE}`,
  },
  unregister: {
    name: 'unregister-carrier',
    text: `update carrier set node = '', alive_until = ${NOW}
      where tenant = $2 and channel = $3 and account = $4 and instance = $5 and node = $6 and fence = $7`,
  },
  live: {
    name: 'live-carriers',
    text: `select account, instance from carrier where tenant = $2 and channel = $3 and alive_until > ${NOW}
      order by account, instance`,
  },
} as const satisfies Readonly<Record<string, Statement>>

export class PgCarriers implements CarrierStore {
  readonly #pool: PgPool
  readonly #now: (() => Date) | undefined

  /** @param deps.now replaces the database's clock */
  constructor(deps: { pool: PgPool; now?: (() => Date) | undefined }) {
    this.#pool = deps.pool
    this.#now = deps.now
  }

  register(place: CarrierPlace, node: string, aliveMs: number): Promise<number> {
    const { tenant, channel, account, instance } = place
    return this.#pool.consult(async (session) => {
      await session.ask(STATEMENTS.forget, [this.#at(), tenant, channel])
      const parameters = [this.#at(), tenant, channel, account, instance, node, aliveMs]
      const [row] = await session.ask<{ fence: number }>(STATEMENTS.register, parameters)
      if (!row) throw new Error('A registration has a fence')
      return row.fence
    })
  }
  renew(tenant: Tenant, node: string, aliveMs: number): Promise<CarrierPlace[]> {
    return this.#pool.consult((session) =>
      session.ask<Pick<CarrierPlace, keyof CarrierPlace>>(STATEMENTS.renew, [this.#at(), tenant, node, aliveMs]),
    )
  }
  async unregister({ tenant, channel, account, instance, node, fence }: HeldPlace): Promise<void> {
    const parameters = [this.#at(), tenant, channel, account, instance, node, fence]
    await this.#pool.consult((session) => session.ask(STATEMENTS.unregister, parameters))
  }
  live(tenant: Tenant, channel: string): Promise<Instance[]> {
    return this.#pool.consult((session) => session.ask<Instance>(STATEMENTS.live, [this.#at(), tenant, channel]))
  }

  #at(): string | null {
    return this.#now?.().toISOString() ?? null
  }
}
