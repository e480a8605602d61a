// What every file store must do.
import { newConversationId, newFileId, newParticipantId } from '../../src/model/new-id'
import type { FileRow, FileUsage } from '../../src/store/file-store'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { tenant } from '../support/log-fixtures'

const PLENTY: FileUsage = { files: 100, bytes: 1_000_000_000_000 }
const stranger = 'other' as typeof tenant

export function fileStoreContract(name: string, openDatabase: OpenDatabase): void {
  describe(`file store: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.files

    const conversationId = newConversationId()
    const coming = (more: Partial<FileRow> = {}): FileRow => ({
      tenant,
      id: newFileId(),
      conversationId,
      participantId: newParticipantId(),
      name: 'Füße ' + '\u{1F43E}' + '.png',
      mediaType: '',
      size: 1_000,
      sha256: '',
      width: null,
      height: null,
      thumbnail: null,
      createdAt: under.clock.in(0),
      state: 'uploading',
      ...more,
    })
    const whole = (file: FileRow): FileRow => ({
      ...file,
      mediaType: 'image/png',
      size: 700,
      sha256: 'ab'.repeat(32),
      width: 640,
      height: 480,
      thumbnail: `${file.id}.png`,
      state: 'ready',
    })
    const added = async (more: Partial<FileRow> = {}) => {
      const file = coming(more)
      expect(await store().add(file, PLENTY)).toBe(true)
      return file
    }
    const ready = async (more: Partial<FileRow> = {}) => {
      const file = whole(await added(more))
      expect(await store().finish(file)).toBe(true)
      return file
    }

    it('keeps a file from its first byte to its last, and finds it by tenant and id', async () => {
      const file = await added()
      expect(await store().find(tenant, file.id)).toEqual(file)
      expect(await store().finish(whole(file))).toBe(true)
      expect(await store().find(tenant, file.id)).toEqual(whole(file))
      expect(await store().find(stranger, file.id)).toBeNull()
      expect(await store().find(tenant, newFileId())).toBeNull()
    })
    it('finishes a file once', async () => {
      const file = await ready()
      expect(await store().finish({ ...file, name: 'other' })).toBe(false)
      expect(await store().find(tenant, file.id)).toEqual(file)
    })

    it('lets in as many files as a conversation may hold, and never one more, however many come at once', async () => {
      const limits = { files: 3, bytes: 1_000_000 }
      const answers = await Promise.all(Array.from({ length: 8 }, () => store().add(coming(), limits)))
      expect(answers.filter(Boolean)).toHaveLength(3)
      expect(await store().usage(tenant, conversationId)).toEqual({ files: 3, bytes: 3_000 })
      expect(await store().add(coming({ conversationId: newConversationId() }), limits)).toBe(true)
      expect(await store().add(coming({ tenant: stranger }), limits)).toBe(true)
    })
    it('lets in as many bytes, counting what is uploading with all that it may have', async () => {
      const limits = { files: 10, bytes: 2_000 }
      const first = coming()
      expect(await store().add(first, limits)).toBe(true)
      expect(await store().add(coming({ size: 1_001 }), limits)).toBe(false)
      expect(await store().finish(whole(first))).toBe(true)
      expect(await store().add(coming({ size: 1_300 }), limits)).toBe(true)
      expect(await store().usage(tenant, conversationId)).toEqual({ files: 2, bytes: 2_000 })
      expect(await store().add(coming({ size: 1 }), limits)).toBe(false)
      expect(await store().add(coming({ size: 2_001, conversationId: newConversationId() }), limits)).toBe(false)
    })
    it('counts nothing where nothing is', async () => {
      expect(await store().usage(tenant, newConversationId())).toEqual({ files: 0, bytes: 0 })
    })
    it('counts more bytes than 32 bits hold', async () => {
      for (let i = 0; i < 3; i++) await added({ size: 2_000_000_000 })
      expect(await store().usage(tenant, conversationId)).toEqual({ files: 3, bytes: 6_000_000_000 })
    })

    it('lists the files of a conversation, oldest first', async () => {
      const first = await ready()
      under.clock.forward(1_000)
      const second = await added()
      await added({ conversationId: newConversationId() })
      await added({ tenant: stranger })
      expect(await store().ofConversation(tenant, conversationId)).toEqual([first, second])
    })

    it('erases a conversation: what was ready is answered, what is uploading can finish no more, others stay', async () => {
      const first = await ready()
      under.clock.forward(1_000)
      const second = await ready()
      const uploading = await added()
      const other = await ready({ conversationId: newConversationId() })
      expect(await store().erase(stranger, conversationId)).toEqual([])
      const erased = await store().erase(tenant, conversationId)
      expect(erased).toEqual([first, second].map((file) => ({ ...file, state: 'erased' })))
      expect(await store().finish(whole(uploading))).toBe(false)
      expect((await store().find(tenant, uploading.id))?.state).toBe('erased')
      expect(await store().usage(tenant, conversationId)).toEqual({ files: 0, bytes: 0 })
      expect(await store().find(tenant, other.id)).toEqual(other)
      expect(await store().erase(tenant, conversationId)).toEqual([])
    })

    it('tells what was never finished, or is not erased to the end, once it is old enough', async () => {
      const abandoned = await added()
      await ready()
      under.clock.forward(1_000)
      const left = await ready({ conversationId: newConversationId() })
      await store().erase(tenant, left.conversationId)
      under.clock.forward(1_000)
      await added()
      const old = (limit: number) => store().unfinished(tenant, under.clock.in(0), limit)
      expect(await old(10)).toEqual([abandoned, { ...left, state: 'erased' }])
      expect(await old(1)).toEqual([abandoned])
      expect(await store().unfinished(stranger, under.clock.in(0), 10)).toEqual([])
    })
    it('forgets a file, once, and its room is free', async () => {
      const file = await ready()
      expect(await store().remove(stranger, file.id)).toBe(false)
      expect(await store().remove(tenant, file.id)).toBe(true)
      expect(await store().remove(tenant, file.id)).toBe(false)
      expect(await store().find(tenant, file.id)).toBeNull()
      expect(await store().usage(tenant, conversationId)).toEqual({ files: 0, bytes: 0 })
    })
  })
}
