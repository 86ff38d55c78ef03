/** What the handlers measure: each number is known beforehand, because the clock, the devices and the tables do as they are told. */
import type { HookName } from '../../lambda/core/hooks.ts'
import type { SendOutcome } from '../../lambda/core/metrics.ts'
import { emfFaults } from '../support/emf-rules.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { rowsWith, World } from '../support/world.ts'

type Line = Record<string, unknown> & { readonly _aws: { readonly CloudWatchMetrics: readonly { readonly Namespace: string }[] } }

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine), { namespace: 'MqttBackend' })
  })

  const lines = (): string[] => world.logs.filter((line) => '_aws' in JSON.parse(line))
  /** The metrics of the hook's lines, without what they say of themselves. */
  const measured = (hook: HookName): object[] =>
    lines()
      .map((line) => JSON.parse(line) as Line)
      .filter(({ Hook }) => Hook === hook)
      .map(({ _aws, Hook, Hooks, ...metrics }) => metrics)

  /** Names of the line's metrics that have these dimensions. */
  const namesBy = (line: string, dimensions: string): string[] => {
    const { CloudWatchMetrics } = (
      JSON.parse(line) as { _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string }[] }[] } }
    )._aws
    return CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
      Dimensions.some((set) => set.join() === dimensions) ? Metrics.map(({ Name }) => Name) : [],
    )
  }

  afterEach(() => {
    expect(lines().map(emfFaults)).toEqual(lines().map(() => []))
  })

  it('a batch of one that is stored, one poison and one throttled is one line a reason', async () => {
    const put = world.ports.messages.put
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' })
    jest
      .spyOn(world.ports.messages, 'put')
      .mockImplementation((message) => (message.topic === 'busy' ? Promise.reject(throttled) : put(message)))
    const events = [world.publishEvent('ok', 'x'), { topic: 'poison' }, world.publishEvent('busy', 'x')]
    world.wait(40)
    await world.invoke('message.publish', ...events)
    expect(measured('message.publish')).toEqual([
      // The publish was 42 ms ago: each event takes one.
      { message_publish: 1, event_throttled: 1, publish_to_stored: [42], Reason: 'bad-event', handler_errors: 1 },
      { Reason: 'ThrottlingException', handler_errors: 1 },
    ])
  })

  it('publishes are counted with the time that each took to be stored; a repeated one is not stored again', async () => {
    const [first, second] = [world.publishEvent('t', 'x'), world.publishEvent('u', 'y')]
    world.wait(98)
    await world.invoke('message.publish', first, second)
    await world.invoke('message.publish', first)
    const [both, again] = measured('message.publish') as { publish_to_stored?: number[] }[]
    // They are stored side by side.
    expect(both).toEqual({ message_publish: 2, publish_to_stored: expect.any(Array) })
    expect(new Set(both!.publish_to_stored)).toEqual(new Set([100, 99]))
    expect(again).toEqual({ message_publish: 1 })
  })

  it('what was redriven from an error of its rule is stored, and nobody knows how long that took', async () => {
    await world.handle('message.publish', { ...world.publishEvent('t', 'x'), time_in_doubt: true })
    expect(measured('message.publish')).toEqual([{ message_publish: 1 }])
  })

  it('a queue is delivered: each message, and the time from the subscribe to the last PUBACK', async () => {
    for (const payload of ['a', 'b', 'c']) await world.publish('t', payload)
    await world.connect('c', 's1')
    const send = world.ports.device.send
    jest.spyOn(world.ports.device, 'send').mockImplementation((...args) => {
      world.wait(10)
      return send(...args)
    })
    world.wait(5_000)
    await world.subscribe('c', 's1', 't')
    expect(world.device('c').got).toEqual(['a', 'b', 'c'])
    // 1 ms: time of the event itself.
    expect(measured('session.subscribed')).toEqual([{ session_subscribed: 1, message_delivered: 3, subscribe_to_last_delivered: [31] }])
  })

  it('a subscription that brings nothing has no such time', async () => {
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    expect(measured('session.subscribed')).toEqual([{ session_subscribed: 1 }])
  })

  it.each<[SendOutcome, string]>([
    ['unknown', 'delivery_unknown'],
    ['throttled', 'delivery_throttled'],
    ['unsendable', 'delivery_unsendable'],
    ['gone', 'delivery_gone'],
  ])('a direct message that is %s is counted as %s', async (outcome, metric) => {
    await world.publish('t', 'x')
    await world.connect('c', 's1')
    world.device('c').script.push(outcome)
    await world.subscribe('c', 's1', 't')
    const delivered = outcome === 'unsendable' ? {} : { message_delivered: 1, subscribe_to_last_delivered: [expect.any(Number)] }
    const failed = outcome === 'gone' ? {} : { delivery_failed: 1 }
    expect(measured('session.subscribed')).toEqual([{ session_subscribed: 1, [metric]: 1, ...failed, ...delivered }])
  })

  it('a client that may not receive is a failed event with its reason', async () => {
    await world.publish('t', 'x')
    await world.connect('c', 's1')
    world.device('c').script.push('forbidden')
    await world.invoke('session.subscribed', world.subscribedEvent('c', 's1', 't'))
    expect(measured('session.subscribed')).toEqual([
      { delivery_forbidden: 1, delivery_failed: 1, Reason: 'receive-forbidden', handler_errors: 1 },
    ])
  })

  it('what goes on at the next try is no error', async () => {
    await world.publish('t', 'x')
    await world.connect('c', 's1')
    const record = { messageId: 'm', body: JSON.stringify(world.subscribedEvent('c', 's1', 't')) }
    await world.deliver('session.subscribed', [record], 1_000)
    expect(measured('session.subscribed')).toEqual([{ event_unfinished: 1 }])
  })

  it('what IoT Core delivered is settled when the subscription ends; what was confirmed or acknowledged is not counted with it', async () => {
    await world.publish('t', 'before')
    await world.connect('c', 's1')
    world.wait(5_000)
    await world.subscribe('c', 's1', 't')
    world.wait(5_000)
    for (const payload of ['native 1', 'native 2', 'acked']) await world.publish('t', payload)
    const [msgid] = (await world.queue()).stored.slice(-1)
    await world.handle('message.acked', world.ackEvent('c', msgid))
    world.wait(15_000)
    await world.unsubscribe('c', 's1', 't')
    expect((await world.queue()).stored).toEqual([])
    expect(measured('session.unsubscribed')).toEqual([{ session_unsubscribed: 1, message_settled: 2 }])
    expect(measured('message.acked')).toEqual([{ message_acked: 1 }])
    expect(measured('session.subscribed')).toEqual([expect.not.objectContaining({ message_settled: expect.anything() })])
  })

  it('a backlog is told by the head that the publish gets back: depth and age of the largest of a batch', async () => {
    const reads = jest.spyOn(world.ports.topics, 'heads').mockClear()
    await world.publish('short', 'x')
    const before = reads.mock.calls.length
    for (let i = 0; i < 20; i++) await world.publish('deep', `${i}`)
    const depths = measured('message.publish').map((line) => (line as { queue_depth_max?: number }).queue_depth_max)
    // The sixteenth of a topic is a backlog.
    expect(depths).toEqual([...Array.from({ length: 16 }, () => undefined), 16, 17, 18, 19, 20])
    expect(reads.mock.calls.length - before).toBe(20 * before)
    world.wait(90_000)
    await world.invoke('message.publish', world.publishEvent('short', 'y'), world.publishEvent('none', 'z'))
    const { queue_depth_max, queue_age_max } = measured('message.publish').at(-1) as { queue_depth_max: number; queue_age_max: number[] }
    expect(queue_depth_max).toBe(2)
    expect(queue_age_max).toHaveLength(1)
    expect(queue_age_max[0]).toBeGreaterThanOrEqual(90_000)
  })

  it('presence events are counted under their hooks', async () => {
    await world.connect('c', 's1')
    await world.disconnect('c', 's1')
    expect((['client.connected', 'session.created', 'client.disconnected'] as const).map(measured)).toEqual([
      [{ client_connected: 1 }],
      [{ session_created: 1 }],
      [{ client_disconnected: 1 }],
    ])
  })

  it('a throttled retained check is counted, beside the error that it is', async () => {
    const refused = Object.assign(new Error('too many'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 429 } })
    jest.spyOn(world.ports.device, 'retained').mockRejectedValue(refused)
    await world.invoke('message.publish', world.publishEvent('t', 'x'))
    expect(measured('message.publish')).toEqual([
      { publish_to_stored: [1], retained_check_throttled: 1, event_throttled: 1, Reason: 'ThrottlingException', handler_errors: 1 },
    ])
  })

  it('what alarms watch has the same one dimension on every hook; what was throttled is not counted as an error there', async () => {
    const put = jest.spyOn(world.ports.messages, 'put')
    for (const name of ['ThrottlingException', 'AccessDeniedException']) {
      put.mockRejectedValueOnce(Object.assign(new Error('no'), { name }))
      await world.invoke('message.publish', world.publishEvent('t', 'x'))
    }
    await world.connect('c', 's1')
    const shared = lines().map((line) => namesBy(line, 'Hooks'))
    expect(shared).toEqual([['event_throttled'], ['handler_errors'], ['client_connected'], ['session_created']])
    expect(lines().map((line) => namesBy(line, 'Hook,Reason'))).toEqual([['handler_errors'], ['handler_errors'], [], []])
  })

  it('the age of an event is counted at each receive, on hooks whose events need not come back', async () => {
    await world.connect('c', 's1')
    const sent = { ApproximateReceiveCount: '7', SentTimestamp: `${world.now - 400_000}` }
    const record = (event: object) => ({ messageId: 'm', body: JSON.stringify(event), attributes: sent })
    await world.deliver('session.unsubscribed', [record(world.unsubscribedEvent('c', 's1', 't'))])
    await world.deliver('session.subscribed', [record(world.subscribedEvent('c', 's1', 't'))])
    expect(measured('session.unsubscribed')).toEqual([{ session_unsubscribed: 1, event_age: [expect.any(Number)] }])
    const [
      {
        event_age: [age],
      },
    ] = measured('session.unsubscribed') as [{ event_age: [number] }]
    expect(age).toBeGreaterThanOrEqual(400_000)
    expect(measured('session.subscribed')).toEqual([{ session_subscribed: 1 }])
  })

  it('an event that fails at its last receive is counted: it becomes a dead letter', async () => {
    const at = (receives: number) => ({
      messageId: 'm',
      body: '{}',
      attributes: { ApproximateReceiveCount: `${receives}`, SentTimestamp: `${world.now}` },
    })
    await world.deliver('session.subscribed', [at(27)])
    await world.deliver('session.subscribed', [at(28)])
    expect(measured('session.subscribed')).toEqual([
      { Reason: 'bad-event', handler_errors: 1 },
      { event_given_up: 1, Reason: 'bad-event', handler_errors: 1 },
    ])
  })

  it('I10: an error whose name is no code does not become a reason', async () => {
    const odd = Object.assign(new Error('odd'), { name: 'payload {"secret": 1}' })
    jest.spyOn(world.ports.messages, 'put').mockRejectedValue(odd)
    await world.invoke('message.publish', world.publishEvent('t', 'x'))
    expect(measured('message.publish')).toEqual([{ Reason: 'other', handler_errors: 1 }])
  })

  it('I10: no client, topic or payload is in a line', async () => {
    world = new World(engine, world.tables, {
      rows: rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: 'topic' }),
      namespace: 'MqttBackend',
    })
    await world.publish('topic-canary', 'payload-canary', { clientid: 'client-canary' })
    await world.connect('client-canary', 'session-canary')
    await world.subscribe('client-canary', 'session-canary', 'topic-canary')
    await world.invoke('message.publish', { ...world.publishEvent('topic-canary', 'payload-canary'), timestamp: 'time-canary' })
    expect(lines().length).toBeGreaterThan(4)
    expect(lines().filter((line) => line.includes('canary'))).toEqual([])
  })

  it('an empty batch and a function without namespace write no line', async () => {
    await world.deliver('message.publish', [])
    const silent = new World(engine, world.tables)
    await silent.publish('t', 'x')
    expect([...lines(), ...silent.logs.filter((line) => '_aws' in JSON.parse(line))]).toEqual([])
  })
})
