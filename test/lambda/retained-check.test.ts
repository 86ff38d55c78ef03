/** The retained check of `"retain": "native"`: storing does not wait for it, and what depends on its answer follows. */
import { createTables, forEachEngine, itBilled } from '../support/engines.ts'
import { nativelyRetained, retainedOf } from '../support/retained-world.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async () => new World(engine, await createTables(engine))
  const tryAgain = (world: World, event: unknown, receives: number) =>
    world.deliver('message.publish', [
      { messageId: 'again', body: JSON.stringify(event), attributes: { ApproximateReceiveCount: `${receives}` } },
    ])
  const answered = () => {
    let answer = () => {}
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    return { asked, answer }
  }
  const THROTTLED = Object.assign(new Error('ThrottlingException'), { $metadata: { httpStatusCode: 429 } })

  it('I1: it is stored and queued before IoT Core answers, then the row says retained and its QoS', async () => {
    const world = await given()
    const { asked, answer } = answered()
    jest.spyOn(world.ports.device, 'retained').mockImplementationOnce(async () => {
      await asked
      return { payload: Buffer.from('x'), qos: 1, lastModified: world.now }
    })
    const add = jest.spyOn(world.ports.topics, 'add')
    const handled = world.publish('t', 'x')
    while (add.mock.results.length === 0) await new Promise(setImmediate)
    await add.mock.results[0]!.value
    const { stored, named } = await world.queue()
    expect([stored.length, named]).toEqual([1, stored])
    expect((await world.row('mqtt_msg', stored[0]!))?.retain).toEqual({ N: '0' })
    answer()
    await handled
    expect(await world.row('mqtt_msg', stored[0]!)).toMatchObject({ retain: { N: '1' }, qos: { N: '1' } })
    expect(await retainedOf(world, 't')).toBe('x')
  })

  itBilled(engine)('a publish that is not retained writes what it wrote before; a retained one its message once more', async () => {
    const world = await given()
    const writes = async (topic: string) => {
      const from = world.calls.length
      await world.publish(topic, 'x')
      return world.calls.slice(from).flatMap(({ call, writeUnits }) => (writeUnits > 0 ? [call] : []))
    }
    expect(await writes('t')).toEqual(['mqtt_msg:PutItem', 'mqtt_topic_msg_map:UpdateItem'])
    nativelyRetained(world, 't', 'x')
    expect((await writes('t')).toSorted()).toEqual([
      'mqtt_msg:PutItem',
      'mqtt_msg:UpdateItem',
      'mqtt_retain:PutItem',
      'mqtt_topic_msg_map:UpdateItem',
    ])
  })

  it('I1, I4: a throttled check fails the event, and its next try does the check alone: what was acknowledged meanwhile stays so', async () => {
    const world = await given()
    nativelyRetained(world, 't', 'x')
    const event = world.publishEvent('t', 'x')
    const ask = jest.spyOn(world.ports.device, 'retained').mockRejectedValueOnce(THROTTLED)
    expect((await tryAgain(world, event, 1)).batchItemFailures).toHaveLength(1)
    expect((await world.queue()).named).toHaveLength(1)
    await world.connect('c', 's1')
    world.wait(10_000)
    await world.subscribe('c', 's1', 't')
    expect(await world.queue()).toEqual({ named: [], stored: [] })
    ask.mockRejectedValueOnce(THROTTLED)
    expect((await tryAgain(world, event, 2)).batchItemFailures).toHaveLength(1)
    expect(await tryAgain(world, event, 3)).toEqual({ batchItemFailures: [] })
    expect(await world.queue()).toEqual({ named: [], stored: [] })
    expect(await retainedOf(world, 't')).toBe('x')
  })

  it('I6: one answer serves all publishes of the topic that are older than it, whoever of them is the retained one', async () => {
    const world = await given()
    nativelyRetained(world, 't', 'second')
    const events = ['first', 'second', 'third'].map((payload) => world.publishEvent('t', payload))
    const ask = jest.spyOn(world.ports.device, 'retained')
    for (const event of events) {
      ask.mockRejectedValueOnce(THROTTLED)
      await tryAgain(world, event, 1)
    }
    world.wait(130_000)
    ask.mockClear()
    const late = world.publishEvent('t', 'late', { timestamp: world.now - 1_000 })
    for (const event of [...events, late]) expect(await tryAgain(world, event, 2)).toEqual({ batchItemFailures: [] })
    // The last one was published too short a time before the answer.
    expect(ask).toHaveBeenCalledTimes(2)
    expect(await retainedOf(world, 't')).toBe('second')
  })

  it('I5: an event that failed otherwise stores its message again', async () => {
    const world = await given()
    const event = world.publishEvent('t', 'x')
    jest.spyOn(world.ports.device, 'retained').mockRejectedValueOnce(THROTTLED)
    jest.spyOn(world.ports.topics, 'add').mockRejectedValueOnce(new Error('killed'))
    await tryAgain(world, event, 1)
    await tryAgain(world, event, 2)
    const { named, stored } = await world.queue()
    expect([named.length, stored]).toEqual([1, named])
  })

  it('a check that fails does not fail its neighbours, nor keeps them waiting', async () => {
    const world = await given()
    jest
      .spyOn(world.ports.device, 'retained')
      .mockImplementation((topic) => (topic === 'bad' ? Promise.reject(THROTTLED) : Promise.resolve(undefined)))
    const { batchItemFailures } = await world.invoke('message.publish', ...['bad', 'a', 'b'].map((topic) => world.publishEvent(topic, 'x')))
    expect(batchItemFailures).toHaveLength(1)
    expect((await world.queue()).named).toHaveLength(3)
  })

  it.each([
    ['the same payload with other user properties', 1_000, [{ by: 'b' }], 'publisher'],
    ['the same payload 20 s later', 20_000, [], 'publisher'],
  ])('%s is an ordinary publish: the row keeps its sender', async (_name, later, user_properties, sender) => {
    const world = await given()
    world.native.set('t', { payload: Buffer.from('on'), qos: 1, lastModified: world.now, user: [] })
    await world.publish('t', 'on')
    world.wait(later)
    await world.publish('t', 'on', { user_properties, clientid: 'b' })
    expect((await world.row('mqtt_retain', 't'))?.sender).toEqual({ S: sender })
  })

  it('a retained publish of QoS 0 that had gone into a segment before IoT Core answered is on no queue either', async () => {
    const world = await given()
    const { asked, answer } = answered()
    jest.spyOn(world.ports.device, 'retained').mockImplementationOnce(async () => {
      await asked
      return { payload: Buffer.from('first'), qos: 0, lastModified: world.now }
    })
    const first = world.publish('t', 'first')
    const others = Array.from({ length: 40 }, () => world.publishEvent('t', 'x'))
    for (const event of others) await world.handle('message.publish', event)
    answer()
    await first
    const { named, stored } = await world.queue()
    expect([named.length, stored]).toEqual([40, named])
  })
})
