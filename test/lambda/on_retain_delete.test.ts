/** message.publish with an empty payload: which publish clears a retained message, and which is a message like any other. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { nativelyRetained, retainedBy, retainedOf } from '../support/retained-world.ts'
import { World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)

  it('I4: a clearing event that is received twice at once queues nothing, whichever reads between the other’s two writes', async () => {
    const world = await given()
    nativelyRetained(world, 't', 'x', 0)
    await world.publish('t', 'x')
    nativelyRetained(world, 't', '')
    const clearing = world.publishEvent('t', '')
    const { get } = world.ports.retained
    // The other receive does all of it while this one is about to read the row.
    jest.spyOn(world.ports.retained, 'get').mockImplementationOnce(async (topic) => {
      await Promise.resolve()
      await world.handle('message.publish', clearing)
      return get(topic)
    })
    await world.handle('message.publish', clearing)
    expect((await world.queue()).stored).toEqual([])
  })

  describe('"retain": "property"', () => {
    it('an empty payload clears only with retain=1; else it is a message like any other', async () => {
      const world = await given({ rows: retainedBy('property') })
      const user_properties = [{ retain: '1' }]
      await world.publish('t', 'x', { user_properties })
      await world.publish('t', '')
      expect(await retainedOf(world, 't')).toBe('x')
      expect((await world.queue()).named).toHaveLength(2)
      await world.publish('t', '', { user_properties })
      expect(await retainedOf(world, 't')).toBeUndefined()
      expect((await world.queue()).named).toHaveLength(2)
    })
  })

  describe('"retain": "native": GetRetainedMessage tells', () => {
    it('an empty publish of which IoT Core retains nothing any more clears ours; it does not queue', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      nativelyRetained(world, 't', '')
      const clearing = world.publishEvent('t', '')
      await world.handle('message.publish', clearing)
      expect(await world.scan('mqtt_retain')).toEqual([])
      expect((await world.queue()).named).toHaveLength(1)
      await world.handle('message.publish', clearing)
      expect((await world.queue()).named).toHaveLength(1)
    })

    it('an ordinary empty publish taken for the clearing one, which is late: the next retained message stays, though stamped a moment before', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      world.wait(1_000)
      const clearing = world.publishEvent('t', '')
      world.wait(1_000)
      const next = world.publishEvent('t', 'y')
      world.wait(2)
      nativelyRetained(world, 't', '')
      await world.publish('t', '')
      expect(await world.scan('mqtt_retain')).toEqual([])
      nativelyRetained(world, 't', 'y')
      await world.handle('message.publish', next)
      await world.handle('message.publish', clearing)
      expect(await retainedOf(world, 't')).toBe('y')
    })

    const tryAgain = (world: World, event: unknown, receives: number) =>
      world.deliver('message.publish', [
        { messageId: 'again', body: JSON.stringify(event), attributes: { ApproximateReceiveCount: `${receives}` } },
      ])

    it('a clearing publish that is tried again when IoT Core retains the next message already: clears, and is not queued', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      nativelyRetained(world, 't', '')
      const clearing = world.publishEvent('t', '')
      await world.handle('message.publish', clearing)
      nativelyRetained(world, 't', 'y')
      await world.publish('t', 'y')
      expect(await tryAgain(world, clearing, 2)).toEqual({ batchItemFailures: [] })
      expect(await retainedOf(world, 't')).toBe('y')
      expect((await world.queue()).stored).toHaveLength(2)
    })

    it('an ordinary empty publish, before whose look at our table the next message came to be retained there, does not clear that', async () => {
      const world = await given()
      const empty = world.publishEvent('t', '')
      const { get } = world.ports.retained
      // IoT Core is asked first, and holds nothing yet.
      jest.spyOn(world.ports.retained, 'get').mockImplementationOnce(async (topic) => {
        nativelyRetained(world, 't', 'y')
        await world.publish('t', 'y')
        return get(topic)
      })
      world.wait(1_000)
      await world.handle('message.publish', empty)
      expect(await retainedOf(world, 't')).toBe('y')
    })

    it('I5: an empty publish that one try took for a message, and stored, is no clearing one for the next: it is named', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      const clearing = world.publishEvent('t', '')
      jest.spyOn(world.ports.topics, 'add').mockRejectedValueOnce(new Error('killed'))
      await tryAgain(world, clearing, 1)
      // Meanwhile another receive of the event, which IoT Core had told otherwise, remembered that it cleared.
      nativelyRetained(world, 't', '')
      const msgid = (await world.queue()).stored.at(-1)!
      await world.ports.retained.clear((await world.ports.messages.get([msgid])).get(msgid)!, { certain: true })
      await tryAgain(world, clearing, 2)
      const { named, stored } = await world.queue()
      expect([named, stored.length]).toEqual([stored, 2])
    })

    it('an empty publish while IoT Core retains something is a message without payload', async () => {
      const world = await given()
      nativelyRetained(world, 't', 'x')
      await world.publish('t', 'x')
      await world.publish('t', '')
      expect(await retainedOf(world, 't')).toBe('x')
      expect((await world.queue()).named).toHaveLength(2)
    })

    it('an empty publish on a topic that never had one is a message without payload', async () => {
      const world = await given()
      await world.publish('t', '')
      expect((await world.queue()).named).toHaveLength(1)
      expect(await world.scan('mqtt_retain')).toEqual([])
    })
  })
})
