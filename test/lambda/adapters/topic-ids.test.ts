/** The ids of a topic row under concurrency, and sealing that was cut short anywhere: no id is lost, none comes back (I1, I5). */
import { messageTable } from '../../../lambda/adapters/tables/mqtt_msg.ts'
import { topicTable } from '../../../lambda/adapters/tables/mqtt_topic_msg_map.ts'
import type { MessageTable, TopicTable } from '../../../lambda/core/model/ports.ts'
import { HEAD_IDS, type Homes, segmentKey } from '../../../lambda/core/model/topic-row.ts'
import { encodeMsgid } from '../../../lambda/core/msgid.ts'
import { locate, oldestFirst, pendingForwards, readAhead } from '../../../lambda/core/queue/pending.ts'
import type { Row } from '../../simulation/rows.ts'
import { createTables, forEachEngine } from '../../support/engines.ts'

const START = 1_800_000_000_000
const ids = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => encodeMsgid({ micros: BigInt(START + from + i) * 1000n, node: 1n, sequence: 0 }))

forEachEngine((engine) => {
  let topics: TopicTable
  let messages: MessageTable
  beforeEach(async () => {
    const db = { client: engine.client, clock: { now: () => START, sleep: async () => {} }, tables: await createTables(engine) }
    messages = messageTable(db)
    topics = topicTable(db, messages)
  })

  const stored = (msgid: string) =>
    messages.put({ msgid, topic: 't', sender: 's', qos: 1, retain: 0, payload: Buffer.from('x'), arrived: 1, properties: { user: [] } })
  const pending = async (topic = 't') => {
    const found = new Set<string>()
    const row = await topics.head(topic)
    if (row !== undefined) for await (const homes of pendingForwards(topics, row)) for (const id of homes.keys()) found.add(id)
    return [...found].sort()
  }
  /** Adds one id and seals a full head, as a publish does. */
  const publish = async (id: string) => {
    const row = await topics.add('t', [id])
    await topics.seal(row)
  }
  const inParallel = async <T>(items: readonly T[], width: number, work: (item: T) => Promise<unknown>) => {
    const left = [...items]
    await Promise.all(
      Array.from({ length: width }, async () => {
        for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
      }),
    )
  }

  it('I1: ten publishers side by side lose no id', async () => {
    const all = ids(10 * HEAD_IDS)
    await inParallel(all, 10, publish)
    expect(await pending()).toEqual(all.toSorted())
    expect((await topics.head('t'))?.adds).toBe(all.length)
  })

  it('I5: publishers and acknowledgers side by side: what was taken off stays off, the rest stays', async () => {
    const all = ids(10 * HEAD_IDS)
    const gone = new Set(all.filter((_, i) => i % 3 === 0))
    await inParallel(all, 8, async (id) => {
      await stored(id)
      const row = await topics.add('t', [id])
      const takeOff = async () => {
        await messages.remove([id])
        await topics.removeIds('t', new Map([[id, new Set([row.seq])]]))
      }
      await Promise.all([topics.seal(row), gone.has(id) && takeOff()])
    })
    expect(await pending()).toEqual(all.filter((id) => !gone.has(id)).sort())
  })

  it('an id that was seen in a head is found in the segment to which it moved', async () => {
    const all = ids(3 * HEAD_IDS)
    const homes = new Map<string, Set<number>>()
    for (const id of all) {
      const row = await topics.add('t', [id])
      homes.set(id, new Set([row.seq]))
      await topics.seal(row)
    }
    await topics.removeIds('t', homes)
    expect(await pending()).toEqual([])
  })

  it('locate finds ids wherever they are', async () => {
    const all = ids(3 * HEAD_IDS)
    for (const id of all) await publish(id)
    const row = (await topics.head('t'))!
    const homes = await locate(topics, row, [all[0]!, all.at(-1)!])
    expect(homes.get(all[0]!)).toContain(0)
    await topics.removeIds('t', homes)
    expect(await pending()).toEqual(all.slice(1, -1).sort())
  })

  it('a row that is not full is not sealed, and a full one once', async () => {
    const row = await topics.add('t', ids(HEAD_IDS - 1))
    expect(await topics.seal(row)).toBe(false)
    const full = await topics.add('t', ids(1, HEAD_IDS))
    expect([await topics.seal(full), await topics.seal(full)]).toEqual([true, false])
    expect(await topics.head('t')).toMatchObject({ seq: 1, ids: [] })
  })

  it('helpers that both finish a sealing leave it once', async () => {
    const all = ids(HEAD_IDS)
    const full = await topics.add('t', all)
    await Promise.all([topics.seal(full), topics.seal(full), topics.seal(full)])
    expect(await pending()).toEqual(all.toSorted())
    expect((await topics.head('t'))?.seq).toBe(1)
  })

  it('I5: a slow helper does not bring back a segment that was acknowledged meanwhile', async () => {
    const all = ids(HEAD_IDS)
    await Promise.all(all.map(stored))
    const full = await topics.add('t', all)
    await topics.seal(full)
    await messages.remove(all)
    await topics.removeIds('t', new Map(all.map((id) => [id, new Set([0])])))
    // It had read the head while the set was aside.
    await topics.seal({ ...full, sealing: { seq: 0, ids: all } })
    const row = (await topics.head('t'))!
    expect([...(await topics.segments('t', 0, row.seq)).values()].flat()).toEqual([])
  })

  it('I5: what a slow helper brings back is not hidden below first, though its message was stored again', async () => {
    const all = ids(HEAD_IDS)
    const again = all[3]!
    await Promise.all(all.map(stored))
    const full = await topics.add('t', all)
    await topics.seal(full)
    await messages.remove(all)
    await topics.removeIds('t', new Map(all.map((id) => [id, new Set([0])])))
    // A drain has read the topic, and is slow.
    const drained = (await topics.head('t'))!
    await stored(again)
    await topics.add('t', [again])
    await topics.seal({ ...full, sealing: { seq: 0, ids: all } })
    await topics.advanceFirst(drained, 1)
    const row = (await topics.head('t'))!
    expect([row.first, await topics.segments('t', 0, 1)]).toEqual([0, new Map([[0, [again]]])])
    // The next one sees it.
    await topics.advanceFirst(row, 1)
    expect((await topics.head('t'))?.first).toBe(1)
  })

  it('I5: a slow helper leaves no name below first', async () => {
    const all = ids(HEAD_IDS)
    await Promise.all(all.map(stored))
    const full = await topics.add('t', all)
    await topics.seal(full)
    await messages.remove(all)
    await topics.removeIds('t', new Map(all.map((id) => [id, new Set([0])])))
    await topics.advanceFirst((await topics.head('t'))!, 1)
    await stored(all[3]!)
    await topics.add('t', [all[3]!])
    await topics.seal({ ...full, sealing: { seq: 0, ids: all } })
    expect(await topics.segments('t', 0, 1)).toEqual(new Map())
    expect((await topics.head('t'))?.ids).toEqual([all[3]])
  })

  it('I5: ids taken off a set that is being moved stay off, though the answer was lost and the repetition finds them gone', async () => {
    const all = ids(HEAD_IDS + 1)
    const left = all.at(-1)!
    const gone = all.slice(0, -1)
    await Promise.all(all.map(stored))
    const full = await topics.add('t', all)
    // A sealer has moved the set aside, knows it as it was, and is slow.
    let beforePut = (): void => {}
    const acknowledged = new Promise<void>((resolve) => {
      beforePut = resolve
    })
    engine.client.middlewareStack.add(
      (next) => async (args) => {
        const { Item, UpdateExpression } = args.input as { Item?: Row; UpdateExpression?: string }
        if (Item?.topic?.S === segmentKey('t', 0) && Item.MsgId?.SS?.length === all.length) await acknowledged
        if (UpdateExpression === 'DELETE MsgId :ids, sealing :ids') await next(args)
        return next(args)
      },
      { step: 'initialize', name: 'repeating', override: true },
    )
    try {
      const sealed = topics.seal(full)
      while ((await topics.head('t'))?.sealing === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
      await messages.remove(gone)
      await topics.removeIds('t', new Map(gone.map((id) => [id, new Set([0])])))
      beforePut()
      await sealed
    } finally {
      engine.client.middlewareStack.remove('repeating')
    }
    expect(await pending()).toEqual([left])
  })

  it('I2: segments that were read ahead, those that came after and the head are put in order together', async () => {
    const all = ids(3 * HEAD_IDS + 2)
    await topics.seal(await topics.add('t', all.slice(HEAD_IDS, 2 * HEAD_IDS)))
    const before = (await topics.head('t'))!
    const ahead = readAhead(topics, before)
    // Named late, and in each of them: all its homes are known.
    const twice = all[HEAD_IDS]!
    await topics.seal(await topics.add('t', [...all.slice(2 * HEAD_IDS, 3 * HEAD_IDS), twice]))
    await topics.add('t', [...all.slice(0, 2), twice])
    const windows: Homes[] = []
    for await (const homes of pendingForwards(topics, (await topics.head('t'))!, ahead)) windows.push(homes)
    expect(windows.map((homes) => oldestFirst(homes.keys()))).toEqual([[...all.slice(0, 2), ...all.slice(HEAD_IDS, 3 * HEAD_IDS)]])
    expect(windows[0]?.get(twice)).toEqual(new Set([0, 1, 2]))
  })

  it('first only goes forward', async () => {
    const row = await topics.add('t', ids(1))
    await topics.advanceFirst(row, 5)
    await topics.advanceFirst(row, 3)
    expect((await topics.head('t'))?.first).toBe(5)
  })

  it('taking ids off a topic that is not there makes no row', async () => {
    await topics.removeIds('t', new Map([[ids(1)[0]!, new Set([0])]]))
    expect(await topics.head('t')).toBeUndefined()
  })

  it('settling in mid-window is claimed once in its interval', async () => {
    const row = await topics.add('t', ids(1))
    expect([await topics.claimSettling(row, START, 10_000), await topics.claimSettling(row, START, 10_000)]).toEqual([true, false])
    const later = (await topics.head('t'))!
    expect(await topics.claimSettling(later, START + 9_999, 10_000)).toBe(false)
    expect(await topics.claimSettling(later, START + 10_000, 10_000)).toBe(true)
  })
})
