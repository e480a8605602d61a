// API keys: said once, known by hash, revoked at once.
import { createHash } from 'node:crypto'
import { ApiKeys, type NewKey } from '../../src/identity/keys'
import { openMemory } from '../../src/store/open-database'

const SMS: NewKey = { kind: 'connector', name: 'SMSC', channel: 'sms', account: '' }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const open = async () => {
  const store = (await openMemory({})).accounts
  return { store, keys: await ApiKeys.open({ store }) }
}

describe('an API key', () => {
  it('is answered once, has 256 bits, and is kept as a hash alone', async () => {
    const { keys, store } = await open()
    const { key, id } = await keys.create(SMS)
    expect(key).toMatch(/^flk_[\w-]{43}$/)
    expect((await store.listKeys('default' as never)).map(({ hash }) => hash)).toEqual([sha256(key)])
    expect(keys.list()).toEqual([expect.objectContaining({ id, name: 'SMSC', channel: 'sms' })])
    expect(JSON.stringify(keys.list())).not.toMatch(/flk_|hash/)
  })
  it('opens its scope, also after a restart', async () => {
    const { keys, store } = await open()
    const { key, id } = await keys.create({
      ...SMS,
      kind: 'thirdParty',
      account: '+49',
      dailyQuota: 10,
      prefixes: ['+49'],
    })
    const holder = {
      id,
      tenant: 'default',
      kind: 'thirdParty',
      name: 'SMSC',
      channel: 'sms',
      account: '+49',
      dailyQuota: 10,
      prefixes: ['+49'],
    }
    expect(await keys.authenticate(key)).toEqual(holder)
    expect(await (await ApiKeys.open({ store })).authenticate(key)).toEqual(holder)
    for (const wrong of ['', `${key}x`, key.slice(0, -1), sha256(key), 'x'.repeat(1e6)])
      expect(await keys.authenticate(wrong)).toBeNull()
  })
  it('has room for two of a scope, so that one can follow the other', async () => {
    const { keys } = await open()
    await keys.create(SMS)
    const second = await keys.create(SMS)
    await expect(keys.create(SMS)).rejects.toMatchObject({ code: 'conflict' })
    await keys.create({ ...SMS, kind: 'bot' })
    await keys.revoke(second.id)
    await keys.create(SMS)
  })
  it('opens nothing any more once it was revoked, and whoever uses it is told', async () => {
    const { keys, store } = await open()
    const { key, id } = await keys.create(SMS)
    const revoked: string[] = []
    const stop = keys.onRevoked((keyId) => revoked.push(keyId))
    expect(keys.isCurrent(id)).toBe(true)
    await keys.revoke(id)
    expect(keys.isCurrent(id)).toBe(false)
    expect(await keys.authenticate(key)).toBeNull()
    expect(revoked).toEqual([id])
    expect(await (await ApiKeys.open({ store })).authenticate(key)).toBeNull()
    await expect(keys.revoke(id)).rejects.toMatchObject({ code: 'notFound' })
    stop()
    await keys.revoke((await keys.create(SMS)).id)
    expect(revoked).toHaveLength(1)
  })
})

describe('a key from the settings', () => {
  it('serves like another, and is not revoked from here', async () => {
    const keys = await ApiKeys.open({
      store: (await openMemory({})).accounts,
      fixed: [
        { channel: 'sms', account: '', hash: sha256('one') },
        { channel: 'sms', account: '+49', hash: sha256('two') },
        { channel: 'whatsapp', account: '', hash: sha256('three') },
      ],
    })
    expect(await keys.authenticate('two')).toMatchObject({
      id: 'env:sms:2',
      kind: 'connector',
      channel: 'sms',
      account: '+49',
    })
    expect(await keys.authenticate('three')).toMatchObject({ id: 'env:whatsapp:1' })
    expect(keys.isCurrent('env:sms:1')).toBe(true)
    expect(keys.list()).toHaveLength(3)
    await expect(keys.revoke('env:sms:1')).rejects.toMatchObject({ code: 'conflict' })
  })
})
