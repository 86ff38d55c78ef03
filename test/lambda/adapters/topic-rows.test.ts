/** The keys of `live`: client ids as nobody misreads them. */
import fc from 'fast-check'
import { entryOfKey, keyOfEntry } from '../../../lambda/adapters/tables/topic-rows.ts'
import { createTables, forEachEngine } from '../../support/engines.ts'
import { World } from '../../support/world.ts'

const entries = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '%', '%22', 'a\u0000t/#', '\n', '__proto__'))

test('a key comes back as the client id that it was, and JSON has nothing to escape in it', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const key = keyOfEntry(entry)
      expect(entryOfKey(key)).toBe(entry)
      expect(JSON.stringify(key)).not.toMatch(/\\/)
    }),
  )
})

test('what most clients are called stays as it is', () => {
  for (const id of ['pump-7', 'a/b:c_d.e', 'é😀', ' ', '$x', '#', '+']) expect(keyOfEntry(id)).toBe(id)
})

forEachEngine((engine) => {
  // After {"a":1,"\\\\":1} Node 24 reads {"a":1,"\\"":1} as the same (nodejs/node#63785): what was for one client went to another.
  it.each(['"', '\n', '\u0001'])('the client %j of one topic is not taken for the client "\\" of another (I2)', async (other) => {
    const world = new World(engine, await createTables(engine))
    const subscribed = { '0': ['a', '\\'], '1': ['a', other] }
    for (const [topic, clients] of Object.entries(subscribed)) {
      for (const c of clients) {
        await world.operatorSubscribes(c, topic)
        await world.connect(c, `s-${c}`)
      }
    }
    for (const topic of ['0', '1', '0', '1']) await world.publish(topic, `to ${topic}`)
    expect(['\\', other].map((c) => world.device(c).got)).toEqual(['0', '1'].map((topic) => [`to ${topic}`, `to ${topic}`]))
  })
})
