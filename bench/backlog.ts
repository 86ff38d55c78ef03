import { ScanCommand } from '@aws-sdk/client-dynamodb'
import mqtt from 'mqtt'
import { localRun } from './local-run.ts'
import { atLeast, type Block } from './report.ts'

/** IoT Core's own persistent sessions replay so many messages a second to a client (AWS IoT Core quotas). */
const NATIVE_REPLAY = 10
const TOPIC = 'bench/backlog'

/** A backlog on one topic, delivered in order to a subscriber that comes later, each message acknowledged; then nothing is left. */
export const backlog: Block = async ({ quick, progress }) => {
  const count = quick ? 100 : 1_000
  const run = await localRun()
  try {
    const publisher = await mqtt.connectAsync(run.mqtt, { clientId: 'bench-publisher' })
    for (let i = 0; i < count; i++) await publisher.publishAsync(TOPIC, `${i}`, { qos: 1 })
    await until(`${count} messages stored`, async () => (await countOf('mqtt_msg')) === count)
    progress(`${count} messages queued`)

    const subscriber = await mqtt.connectAsync(run.mqtt, { clientId: 'bench-subscriber', protocolVersion: 5 })
    const got: string[] = []
    subscriber.on('message', (_, payload) => got.push(payload.toString()))
    const started = performance.now()
    await subscriber.subscribeAsync(TOPIC, { qos: 1 })
    await until(`${count} messages delivered`, async () => got.length >= count)
    const seconds = (performance.now() - started) / 1000
    await until('all messages acknowledged', async () => (await countOf('mqtt_msg')) === 0)
    const wrong = got.findIndex((payload, i) => payload !== `${i}`)
    if (wrong >= 0 || got.length !== count)
      throw new Error(`message ${wrong} of ${got.length} is '${got[wrong]}': not in order, or not once`)
    await Promise.all([publisher.endAsync(), subscriber.endAsync()])
    const rate = count / seconds
    return [
      {
        name: `backlog of ${count} on one topic, delivered in order and acknowledged`,
        value: rate,
        unit: '/s',
        ...atLeast(NATIVE_REPLAY, rate),
        ratio: rate / NATIVE_REPLAY,
        against: 'a native persistent session, 10/s',
        headline: true,
      },
    ]
  } finally {
    await run.stop()
  }

  async function countOf(TableName: string): Promise<number> {
    return (await run.client.send(new ScanCommand({ TableName, Select: 'COUNT' }))).Count ?? 0
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within 120 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
