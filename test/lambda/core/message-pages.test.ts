/** I15: what is read of a queue is bounded in bytes, and follows what the client takes. */
import type { Message } from '../../../lambda/core/model/message.ts'
import { MessagePages } from '../../../lambda/core/queue/message-pages.ts'

const KB = 1024

/** Pages over so many messages of a size, and how many bytes each read has taken. */
function pagesOf(count: number, bytes: number) {
  const reads: number[] = []
  const get = async (ids: readonly string[]) => {
    reads.push(ids.length * bytes)
    return new Map(ids.map((msgid) => [msgid, { msgid, payload: Buffer.alloc(bytes) } as unknown as Message]))
  }
  return {
    reads,
    pages: new MessagePages(
      { get },
      Array.from({ length: count }, (_, i) => `m${i}`),
    ),
  }
}

test('100 messages of 128 KB: 1 MB is read before the first PUBACK, 1 MB more after it', async () => {
  const { reads, pages } = pagesOf(100, 128 * KB)
  await pages.next()
  expect(reads).toEqual([1024 * KB])
  for (let acks = 0; acks < 8; acks++) pages.readAhead()
  expect(reads).toEqual([1024 * KB, 1024 * KB])
})

test('a client that acknowledges nothing makes nobody read on', async () => {
  const { reads, pages } = pagesOf(1_000, 100)
  await pages.next()
  expect(reads).toHaveLength(1)
})

test.each([
  [100, 50],
  [20 * KB, 50],
  [128 * KB, 8],
])('messages of %i bytes: later pages have %i, and every message comes once, in order', async (bytes, size) => {
  const { reads, pages } = pagesOf(120, bytes)
  const seen: string[] = []
  for (let page = await pages.next(); page !== undefined; page = await pages.next()) seen.push(...page.ids)
  expect(seen).toEqual(Array.from({ length: 120 }, (_, i) => `m${i}`))
  expect(reads[1]! / bytes).toBe(size)
})

test('ids without a message, and empty payloads, read on', async () => {
  const pages = new MessagePages({ get: async () => new Map() }, ['a', 'b'])
  expect((await pages.next())?.ids).toEqual(['a', 'b'])
  expect(await pages.next()).toBeUndefined()
  expect(await new MessagePages({ get: async () => new Map() }, []).next()).toBeUndefined()
})
