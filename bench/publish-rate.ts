import { paginateScan } from '@aws-sdk/client-dynamodb'
import mqtt from 'mqtt'
import { type LocalRun, localRun } from './local-run.ts'
import { atLeast, atMost, type Block } from './report.ts'

const CLIENTS = 8
const IN_FLIGHT = 50

/** QoS 1 publishes from PUBLISH to the rows in DynamoDB, default conf, embedded engine; not one may be missing. */
export const publishRate: Block = async ({ quick, progress }) => {
  const count = quick ? 1_000 : 8_000
  const run = await localRun()
  try {
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, i) => mqtt.connectAsync(run.mqtt, { clientId: `bench-${i}`, protocolVersion: 5 })),
    )
    const started = performance.now()
    await Promise.all(clients.map((client, i) => publishAll(client, i, count / CLIENTS)))
    const acknowledged = (performance.now() - started) / 1000
    progress(`${count} acknowledged after ${acknowledged.toFixed(1)} s, waiting until all are stored`)
    const stored = await storedAfter(run, count)
    const rate = count / ((stored - started) / 1000)
    await Promise.all(clients.map((client) => client.endAsync()))
    const megabytes = run.memory()
    return [
      { name: `publishes stored end to end (${count})`, value: rate, unit: '/s', ...atLeast(400, rate), headline: true },
      ...(megabytes === undefined ? [] : [{ name: 'memory afterwards', value: megabytes, unit: 'MB' }]),
      { name: 'publishes lost', value: 0, unit: '', ...atMost(0, 0) },
    ]
  } finally {
    await run.stop()
  }
}

async function publishAll(client: mqtt.MqttClient, number: number, count: number): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) {
      const i = next++
      await client.publishAsync(`bench/${number}/${i % 10}`, `${number}-${i}`.padEnd(100, '.'), { qos: 1 })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}

/** When the last row was there; throws if some never come, or come twice. */
async function storedAfter(run: LocalRun, count: number): Promise<number> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const { payloads, rows } = await stored(run)
    if (payloads.size === count && rows === count) return performance.now()
    if (performance.now() > deadline) throw new Error(`${payloads.size} different messages in ${rows} rows stored, wanted ${count}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function stored({ client }: LocalRun): Promise<{ payloads: Set<string>; rows: number }> {
  const payloads = new Set<string>()
  let rows = 0
  for await (const page of paginateScan({ client }, { TableName: 'mqtt_msg' })) {
    for (const item of page.Items ?? []) payloads.add(item.payload?.S ?? '')
    rows += page.Count ?? 0
  }
  return { payloads, rows }
}
