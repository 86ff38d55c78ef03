/** What the functions log and count is what the calculator says they do: measured again here, on the default conf. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ALARM_METRICS, CUSTOM_METRICS, LOGGED } from '../../cli/costs/measured-units.ts'
import { hookTableIn } from '../../lib/conf/conf.ts'
import { DEFAULT_CONF } from '../../lib/conf/conf-file.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { backend } from '../support/synthesized.ts'
import { World } from '../support/world.ts'

/** Of the fleet. */
const QUEUE = 't'
const TOPIC = QUEUE.repeat(32)
const CLIENT = 'c'.repeat(20)

forEachEngine((engine) => {
  const worldWith = async (logLevel: 'info' | 'warn') =>
    new World(engine, await createTables(engine), { namespace: 'MqttBackend', logLevel })
  const bytesOf = (line: string) => Buffer.byteLength(`${line}\n`)

  async function published(world: World): Promise<number[]> {
    const body = JSON.stringify(world.publishEvent(TOPIC, 'x'.repeat(100), { clientid: CLIENT }))
    world.wait(40)
    const attributes = { ApproximateReceiveCount: '1', SentTimestamp: `${world.now}` }
    await world.deliver('message.publish', [{ messageId: randomUUID(), body, attributes }])
    return world.logs.map(bytesOf)
  }

  it('a publish logs its own line and one of metrics', async () => {
    expect(await published(await worldWith('info'))).toEqual([LOGGED.event, LOGGED.metrics])
  })

  it.each(['durable', 'operator'])('so does the delivery that it requests for a subscriber of the kind %s', async (kind) => {
    const world = await worldWith('info')
    if (kind === 'operator') await world.operatorSubscribes(CLIENT, TOPIC)
    await world.connect(CLIENT, 's')
    if (kind === 'durable') await world.subscribe(CLIENT, 's', `durable/${TOPIC}`)
    world.wait(60_000)
    world.holdsDeliveries = true
    await published(world)
    const { body } = world.undelivered.splice(0)[0]!
    world.logs.length = 0
    const attributes = { ApproximateReceiveCount: '1', SentTimestamp: `${world.now}` }
    await world.deliver('session.subscribed', [{ messageId: randomUUID(), body, attributes }])
    expect(world.device(CLIENT).got).toHaveLength(1)
    expect(world.logs.map(bytesOf)).toEqual([LOGGED.delivery.event, LOGGED.delivery.metrics])
  })

  it('with logLevel=warn only that of metrics, and a failed event as before', async () => {
    const world = await worldWith('warn')
    expect(await published(world)).toEqual([LOGGED.metrics])
    await world.invoke('message.publish', { topic: 'poison' })
    expect(world.logs.filter((line) => line.includes('"outcome":"failed"'))).toHaveLength(1)
  })

  it('a fleet without errors and backlog counts into as many metrics', async () => {
    const world = await worldWith('info')
    const session = async (name: string, version: number) => {
      await world.connect('c', name, version)
      await world.subscribe('c', name, QUEUE)
      world.wait(20_000)
      await world.publish(QUEUE, 'x')
      world.wait(20_000)
    }
    await world.publish(QUEUE, 'queued')
    await session('s1', 0)
    const attributes = { ApproximateReceiveCount: '1', SentTimestamp: `${world.now}` }
    const body = JSON.stringify(world.unsubscribedEvent('c', 's1', QUEUE))
    await world.deliver('session.unsubscribed', [{ messageId: 'm', body, attributes }])
    await world.disconnect('c', 's1')
    await world.publish(QUEUE, 'x', { clientid: 'p' })
    const { stored } = await world.queue()
    await session('s2', 1)
    await world.invoke('message.acked', world.ackEvent('c', stored[0] ?? ''))
    const names = world.logs.flatMap((line) => {
      const { _aws } = JSON.parse(line) as { _aws?: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string }[] }[] } }
      return (_aws?.CloudWatchMetrics ?? []).flatMap(({ Dimensions, Metrics }) =>
        Dimensions.flatMap((set) => Metrics.map(({ Name }) => `${Name} ${set}`)),
      )
    })
    const counted = new Set(names.filter((name) => !/error|delivery_|unfinished|queue_/.test(name)))
    expect([...counted].sort()).toHaveLength(CUSTOM_METRICS)
  })
})

test('the default conf has as many alarm metrics', () => {
  const template = backend(hookTableIn(readFileSync(DEFAULT_CONF, 'utf8'), 'default'), {}, 'us-west-2')
  expect(template.ofType('AWS::CloudWatch::Alarm')).toHaveLength(ALARM_METRICS)
})
