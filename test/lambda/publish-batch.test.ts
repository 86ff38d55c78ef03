/** message.publish in batches: one topic's messages share one update, and no event spoils another's. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })

  it('I4: the same event twice in one batch is stored and named once', async () => {
    const event = world.publishEvent('t', 'x')
    await world.handle('message.publish', event, event)
    expect((await world.queue()).named).toHaveLength(1)
    await world.handle('message.publish', event, world.publishEvent('t', 'y'), event)
    const { named, stored } = await world.queue()
    expect(named).toHaveLength(2)
    expect(stored).toEqual(named)
  })

  it('a batch arrives oldest first, whatever its order', async () => {
    await world.operatorSubscribes('c', 't')
    await world.connect('c', 's1')
    const events = ['m0', 'm1', 'm2', 'm3'].map((payload) => world.publishEvent('t', payload))
    await world.handle('message.publish', ...[2, 0, 3, 1].map((i) => events[i]))
    expect(world.device('c').got).toEqual(['m0', 'm1', 'm2', 'm3'])
  })

  it('one topic costs a batch of ten one update of its row', async () => {
    const events = Array.from({ length: 10 }, (_, i) => world.publishEvent('t', `m${i}`))
    await world.handle('message.publish', ...events)
    expect(world.calls.filter(({ call }) => call === 'mqtt_topic_msg_map:UpdateItem')).toHaveLength(1)
    expect((await world.queue()).named).toHaveLength(10)
  })

  const DIFFERENT = Array.from({ length: 30 }, (_, i) => `t/${i}`)
  const publishAll = () => DIFFERENT.map((topic) => world.publishEvent(topic, 'x'))
  const count = (name: string) => world.calls.filter(({ call }) => call === name).length
  const records = (events: readonly unknown[], receives: number) =>
    events.map((event, i) => ({
      messageId: `${i}`,
      body: JSON.stringify(event),
      attributes: { ApproximateReceiveCount: `${receives}` },
    }))

  it('different topics are stored 25 in a request, and looked for in one', async () => {
    await world.handle('message.publish', ...publishAll())
    expect([count('mqtt_msg:BatchWriteItem'), count('mqtt_msg:BatchGetItem'), count('mqtt_msg:PutItem')]).toEqual([2, 1, 0])
    expect(count('mqtt_topic_msg_map:UpdateItem')).toBe(30)
    const { named, stored } = await world.queue()
    expect([named.length, stored]).toEqual([30, named])
  })

  it('less than a request of them: each is stored by itself, and nothing is looked for', async () => {
    await world.handle('message.publish', ...publishAll().slice(0, 24))
    expect([count('mqtt_msg:PutItem'), count('mqtt_msg:BatchWriteItem'), count('mqtt_msg:BatchGetItem')]).toEqual([24, 0, 0])
  })

  it('I8: messages that SQS hands out again are stored each by itself', async () => {
    await world.deliver('message.publish', records(publishAll(), 2))
    expect([count('mqtt_msg:PutItem'), count('mqtt_msg:BatchWriteItem')]).toEqual([30, 0])
  })

  it('at most 50 requests of an invocation are under way at once', async () => {
    const { topics, messages } = world.ports
    const { add } = topics
    const { put } = messages
    let running = 0
    let most = 0
    const counted = async <T>(work: Promise<T>): Promise<T> => {
      most = Math.max(most, ++running)
      return work.finally(() => running--)
    }
    jest.spyOn(topics, 'add').mockImplementation((...args) => counted(add(...args)))
    jest.spyOn(messages, 'put').mockImplementation((...args) => counted(put(...args)))
    const events = Array.from({ length: 120 }, (_, i) => world.publishEvent(`many/${i}`, 'x'))
    for (const receives of [1, 2]) await world.deliver('message.publish', records(events, receives))
    expect(most).toBe(50)
    expect((await world.queue()).named).toHaveLength(120)
  })

  it('1,000 different topics in a batch: no request waits for a socket until it is given up', async () => {
    await world.handle('message.publish', ...Array.from({ length: 1_000 }, (_, i) => world.publishEvent(`many/${i}`, 'x')))
    const { named, stored } = await world.queue()
    expect([named.length, stored]).toEqual([1_000, named])
  }, 60_000)

  it("a wildcard's server-side subscriber: who takes its messages off knows which are repeated", async () => {
    await world.operatorSubscribes('c', 't/+')
    await world.connect('c', 's1')
    const others = Array.from({ length: 25 }, (_, i) => world.publishEvent(`u/${i}`, 'x'))
    await world.handle('message.publish', ...publishAll(), ...others)
    expect([count('mqtt_msg:PutItem'), world.device('c').got.length]).toEqual([30, 30])
    expect((await world.queue()).named).toHaveLength(25)
  })

  it('I5: a repeated event whose message is acknowledged meanwhile leaves no name', async () => {
    const { topics, messages } = world.ports
    const { add } = topics
    jest.spyOn(topics, 'add').mockImplementation(async (topic, ids) => {
      if (topic === 't/7') await messages.remove(ids)
      return add(topic, ids)
    })
    await world.handle('message.publish', ...publishAll())
    const { named, stored } = await world.queue()
    expect([named.length, stored]).toEqual([29, named])
  })

  it('I1: a request that fails fails its own messages, and they are named nowhere', async () => {
    const { messages } = world.ports
    const { putAll } = messages
    jest.spyOn(messages, 'putAll').mockImplementation(async (all) => {
      await putAll(all.slice(0, 25))
      return all.map((_, i) => (i < 25 ? { status: 'fulfilled', value: undefined } : { status: 'rejected', reason: new Error('on fire') }))
    })
    const { batchItemFailures } = await world.invoke('message.publish', ...publishAll())
    expect(batchItemFailures).toHaveLength(5)
    const { named, stored } = await world.queue()
    expect([named.length, stored]).toEqual([25, named])
  })

  it('I5: a message that two events named in different segments is taken off both', async () => {
    const [event, ...others] = Array.from({ length: 17 }, () => world.publishEvent('t', 'x'))
    await world.handle('message.publish', event, ...others.slice(0, 15))
    await world.connect('c', 's1')
    await world.operatorSubscribes('c', 't')
    await world.ports.topics.goLive('t', { clientid: 'c', topic: 't', qos: 1, origin: 'operator' }, 'c', {
      kind: 'server',
      session: 's1',
      since: 1,
      at: 1,
    })
    await world.handle('message.publish', event, others[15])
    const { named, stored } = await world.queue()
    expect(named).toEqual(stored)
    expect(named).toHaveLength(15)
  })
})
