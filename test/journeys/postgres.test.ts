// Gateways on one Postgres database, from the outside: they start together, and each knows what the other has stored.
import { ADMIN, openGateway } from '../support/gateway'
import { newDatabase } from '../support/postgres'

describe('two gateways on one Postgres', () => {
  it('start at the same moment on an empty database, and let one supervisor sign in at both', async () => {
    const { url, drop } = await newDatabase()
    const gateways = await Promise.all([1, 2].map(() => openGateway({ DATABASE_URL: url, DATABASE_POOL: '3' })))
    for (const gateway of gateways) {
      expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200)
      const login = await fetch(`${gateway.url}/api/agent/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ADMIN),
      })
      expect(login.status).toBe(200)
    }
    await Promise.all(gateways.map((gateway) => gateway.close()))
    await drop()
  })
  it('say in a sentence, without the password, why they cannot start', async () => {
    const refused = openGateway({ DATABASE_URL: 'postgres://user:hush@127.0.0.1:1/none' })
    await expect(refused).rejects.toThrow('The database at 127.0.0.1:1/none cannot be opened')
    await refused.catch((cause: unknown) => expect(cause instanceof Error && cause.stack).not.toContain('hush'))
  })
})
