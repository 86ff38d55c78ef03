/** The Lambda envelope: what fails, fails alone (I8), and no log line tells a payload (I10). */
import { type ActionName, HOOKS, type HookName } from '../../../lambda/core/hooks.ts'
import { createTables, forEachEngine } from '../../support/engines.ts'
import { PAGE_ROWS, rowsWith, World } from '../../support/world.ts'

const CANARY = 'canary-5f1d'
const ALL_ROWS = PAGE_ROWS

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine), { rows: ALL_ROWS })
  })

  const good: Record<HookName, (client: string) => Record<string, unknown>> = {
    'client.connected': (c) => world.connectedEvent(c, 's1'),
    'session.created': (c) => world.connectedEvent(c, 's1'),
    'client.disconnected': (c) => world.disconnectedEvent(c, 's1'),
    'session.subscribed': (c) => world.subscribedEvent(c, 's1', 't'),
    'session.unsubscribed': (c) => world.unsubscribedEvent(c, 's1', 't'),
    'message.publish': (c) => world.publishEvent(`t/${c}`, 'x', { clientid: c }),
    'message.acked': (c) => world.ackEvent(c, 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTD'),
  }
  const clientField = (hook: HookName) => (hook.startsWith('message') ? 'topic' : 'clientId')
  const poison: [string, (hook: HookName) => unknown][] = [
    ['no JSON', () => `{"clientId": "${CANARY}", `],
    ['JSON that is no object', () => JSON.stringify([CANARY])],
    ['null', () => 'null'],
    ['nothing', () => ''],
    ['an empty object', () => ({})],
    ['no client or topic', (hook) => ({ ...good[hook]('c'), [clientField(hook)]: undefined })],
    ['a client or topic of the wrong type', (hook) => ({ ...good[hook]('c'), [clientField(hook)]: { [CANARY]: 1 } })],
    ['a time in words', (hook) => ({ ...good[hook]('c'), timestamp: CANARY })],
    ['a client or topic that cannot be', (hook) => ({ ...good[hook]('c'), [clientField(hook)]: `${CANARY}\0` })],
  ]

  describe.each(HOOKS)('%s', (hook) => {
    it.each(poison)('I8: %s fails alone, its neighbours are handled', async (_name, bad) => {
      const records = [good[hook]('a'), bad(hook), good[hook]('b')].map((event, i) => ({
        messageId: `id-${i}`,
        body: typeof event === 'string' ? event : JSON.stringify(event),
      }))
      expect(await world.deliver(hook, records)).toEqual({ batchItemFailures: [{ itemIdentifier: 'id-1' }] })
      const lines = world.logs.map((line) => JSON.parse(line))
      expect(lines.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'done'])
      expect(lines[1]).toMatchObject({
        hook,
        messageId: 'id-1',
        level: 'error',
        code: 'bad-event',
        error: expect.stringContaining('wanted'),
      })
      expect(world.logs.join()).not.toContain(CANARY)
    })
  })

  it('a batch of nothing is done', async () => {
    expect(await world.deliver('message.publish', [])).toEqual({ batchItemFailures: [] })
  })

  it('a log line says hook, message, receives, client or topic, message id, outcome and time', async () => {
    const body = JSON.stringify(world.publishEvent('t', 'x', { clientid: 'sender' }))
    await world.deliver('message.publish', [{ messageId: 'id', body, attributes: { ApproximateReceiveCount: '3' } }])
    expect(JSON.parse(world.logs[0]!)).toEqual({
      level: 'info',
      outcome: 'done',
      hook: 'message.publish',
      messageId: 'id',
      receives: 3,
      client: 'sender',
      topic: 't',
      msgid: (await world.queue()).named[0],
      ms: expect.any(Number),
    })
  })

  it('the log line of an ack names the message, of several none', async () => {
    const [one, two] = ['Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTD', 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTE']
    await world.invoke('message.acked', world.ackEvent('c', one), world.ackEvent('c', [one, two]))
    expect(world.logs.map((line) => JSON.parse(line).msgid)).toEqual([one, undefined])
  })

  it.each<[string, ActionName, (world: World) => unknown, HookName, (world: World) => unknown]>([
    ['messages', 'on_message_publish', ({ ports }) => jest.spyOn(ports.topics, 'add'), 'message.publish', (w) => w.publishEvent('t', 'x')],
    ['retained', 'on_message_retain', ({ ports }) => jest.spyOn(ports.retained, 'put'), 'message.publish', (w) => w.publishEvent('t', 'x')],
    [
      'acked',
      'on_acked_delete',
      ({ ports }) => jest.spyOn(ports.acked, 'remove'),
      'session.unsubscribed',
      (w) => w.unsubscribedEvent('c', 's1', 't'),
    ],
    [
      'retained',
      'on_retain_lookup',
      ({ ports }) => jest.spyOn(ports.retained, 'getAll'),
      'session.subscribed',
      (w) => w.subscribedEvent('c', 's1', 't'),
    ],
    [
      'clients',
      'on_client_connected',
      ({ ports }) => jest.spyOn(ports.clients, 'connected'),
      'client.connected',
      (w) => w.connectedEvent('c', 's1'),
    ],
    [
      'clients',
      'on_client_disconnected',
      ({ ports }) => jest.spyOn(ports.clients, 'disconnected'),
      'client.disconnected',
      (w) => w.disconnectedEvent('c', 's1'),
    ],
  ])('a failure of %s in %s tells the action', async (_store, action, spyOn, hook, event) => {
    world = new World(engine, world.tables, {
      rows: rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: 'topic' }),
    })
    ;(spyOn(world) as jest.SpyInstance).mockRejectedValue(new Error('on fire'))
    await world.invoke(hook, event(world))
    expect(JSON.parse(world.logs[0]!)).toMatchObject({ outcome: 'failed', hook, action, error: 'on fire' })
  })

  it('what fails outside of every action names none', async () => {
    jest.spyOn(world.ports.subscriptions, 'subscribed').mockRejectedValue(new Error('on fire'))
    await world.invoke('session.subscribed', world.subscribedEvent('c', 's1', 't'))
    expect(JSON.parse(world.logs[0]!)).not.toHaveProperty('action')
  })

  it('a table that is not there: every event fails, and says which', async () => {
    const tables = { ...world.tables, mqtt_msg: 'no_such_table' }
    const broken = new World(engine, tables)
    const { batchItemFailures } = await broken.invoke('message.publish', broken.publishEvent('t', CANARY), broken.publishEvent('u', CANARY))
    expect(batchItemFailures).toHaveLength(2)
    expect(JSON.parse(broken.logs[0]!)).toMatchObject({ level: 'error', code: 'ResourceNotFoundException' })
    expect(broken.logs.join()).not.toContain(CANARY)
  })

  it("one topic's trouble is not another's", async () => {
    const put = world.ports.messages.put
    jest
      .spyOn(world.ports.messages, 'put')
      .mockImplementation((message) => (message.topic === 'bad' ? Promise.reject(new Error('table on fire')) : put(message)))
    const events = ['good', 'bad', 'fine'].map((topic) => world.publishEvent(topic, 'x'))
    const { batchItemFailures } = await world.invoke('message.publish', ...events)
    expect(batchItemFailures).toHaveLength(1)
    expect((await world.scan('mqtt_msg')).map(({ topic }) => topic?.S).sort()).toEqual(['fine', 'good'])
  })

  it('I10: payloads and properties appear in no line of logs or metrics, whatever happens to the message', async () => {
    const retained = rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: 'topic' })
    world = new World(engine, world.tables, { rows: retained, namespace: 'MqttBackend' })
    const canaries = { user_properties: [{ [`key-${CANARY}`]: CANARY }], content_type: CANARY, correlation_data: CANARY }
    await world.operatorSubscribes('c', 't')
    await world.connect('c', 's1')
    for (const outcome of ['forbidden', 'unsendable', 'unknown', 'throttled', 'gone'] as const) {
      world.device('c').script.push(outcome, outcome)
      await world.invoke('message.publish', world.publishEvent('t', CANARY, canaries))
    }
    await world.invoke('message.publish', world.publishEvent('t', CANARY, { ...canaries, content_type: 42 }))
    await world.invoke('message.publish', { ...world.publishEvent('t', CANARY), payload: CANARY })
    await world.invoke('message.acked', world.ackEvent('c', CANARY), world.ackEvent('c', { msgid: CANARY, topic: CANARY }))
    await world.invoke('session.subscribed', world.subscribedEvent('c', 's1', 't', '#'))
    await world.disconnect('c', 's1', 0, 'CONNECTION_LOST')
    expect(world.logs.length).toBeGreaterThan(8)
    expect(world.logs.filter((line) => line.includes(CANARY) || line.includes(Buffer.from(CANARY).toString('base64')))).toEqual([])
  })
})
