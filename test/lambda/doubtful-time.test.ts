/** A publish whose rule could not send it comes back with the time of the error, which is later than its own: by how much, nobody knows. */
import { eventOfRuleError } from '../../lambda/core/events/rule-errors.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)
  const MESSAGE_ID = '9f3c5b1e-0d2a-4c57-8f3e-2b1a6c7d8e9f'
  const error = {
    ruleName: 'S_MessagePublish_Rule_1',
    topic: 't',
    clientId: 'p',
    cloudwatchTraceId: '7e146a2c-95b5-6caf-98b9-50e3969734c7',
    base64OriginalPayload: Buffer.from('x').toString('base64'),
  }
  const redriven = (sentAt: number) => eventOfRuleError('message.publish', error, { messageId: MESSAGE_ID, sentAt })

  it('I1, I3: who subscribed between the publish and its error has not got it: nothing settles it, and the next subscriber gets it', async () => {
    const world = await given()
    const published = world.now
    world.wait(2_000)
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    world.wait(58_000)
    await world.handle('message.publish', redriven(published + 5_000))
    world.wait(60_000)
    await world.disconnect('c', 's1')
    expect((await world.queue()).stored).toHaveLength(1)

    await world.connect('d', 's2')
    await world.subscribe('d', 's2', 't')
    expect(world.device('d').got).toEqual(['x'])
    expect(await world.queue()).toEqual({ named: [], stored: [] })
  })

  it('I4: it is the same message each time that it is redriven', async () => {
    const world = await given()
    for (let i = 0; i < 3; i++) await world.handle('message.publish', redriven(world.now))
    expect((await world.queue()).stored).toHaveLength(1)
  })
})
