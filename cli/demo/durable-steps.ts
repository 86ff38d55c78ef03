/** The steps of the demo that EMQX's page does not have: durable subscriptions, receipts and competing consumers. */
import type { Stage } from './demo-stage.ts'
import type { Step } from './page-steps.ts'

const texts = (stage: Stage, client: string): string[] => stage.received(client).map(({ payload }) => payload.toString())

const durableSubscription: Step = async (stage) => {
  const topic = stage.ground.topicName('cmd/door-7')
  stage.title('Durable subscription: SUBSCRIBE to durable/<topic>, and nothing is missed, whatever ends the connection')
  const sender = await stage.connect('office')
  await sender.subscribeAsync('replies/office', { qos: 1 })
  const properties = { responseTopic: 'replies/office', userProperties: { receipt: '1' } }
  await sender.publishAsync(topic, 'open', { qos: 1, properties })
  stage.say(`publish ${topic}: open, and ask for a receipt`)
  const isStored = async () => (await stage.rows('mqtt_msg')).some((row) => row.topic?.S === topic)
  await stage.eventually('the command is stored', isStored)
  const first = await stage.connect('door-7')
  await first.subscribeAsync(`durable/${topic}`, { qos: 1 })
  await stage.eventually('what was queued comes', async () => texts(stage, 'door-7').includes('open'))
  await stage.publish('cmd/door-7', 'close')
  await stage.eventually('what is published comes', async () => texts(stage, 'door-7').includes('close'))
  await first.endAsync(true)
  await stage.publish('cmd/door-7', 'lock')
  const second = await stage.connect('door-7')
  await second.subscribeAsync(`durable/${topic}`, { qos: 1 })
  const gotAll = await stage.eventually('what came while it was cut off follows', async () => texts(stage, 'door-7').includes('lock'))
  stage.check(
    'the door got open, close and lock, on durable/cmd/door-7',
    gotAll && [...new Set(texts(stage, 'door-7'))].join() === 'open,close,lock',
  )
  const told = await stage.eventually('the sender has its receipt', async () => stage.received('office').length > 0)
  if (told) stage.say(`office gets on replies/office: ${texts(stage, 'office')[0]}`)
  stage.check('the sender, who asked for a receipt, was told who acknowledged its command', told)
  await Promise.all([sender.endAsync(), second.endAsync()])
}

const competingConsumers: Step = async (stage) => {
  stage.title('Competing consumers: durable subscribers of a topic share its queue, each job goes to one of them')
  const workers = ['worker-1', 'worker-2', 'worker-3']
  const clients = await Promise.all(workers.map((name) => stage.connect(name)))
  await Promise.all(clients.map((client) => client.subscribeAsync(`durable/${stage.ground.topicName('jobs')}`, { qos: 1 })))
  const jobs = Array.from({ length: 9 }, (_, i) => `job ${i + 1}`)
  const done = () => workers.flatMap((name) => texts(stage, name))
  for (const job of jobs) {
    await stage.publish('jobs', job)
    await stage.eventually(`${job} is done`, async () => done().includes(job))
  }
  for (const name of workers) stage.say(`${name}: ${texts(stage, name).join(', ')}`)
  stage.check('every job was done, by one worker', done().sort().join() === [...jobs].sort().join())
  stage.check(
    'each worker had some',
    workers.every((name) => texts(stage, name).length > 0),
  )
  await Promise.all(clients.map((client) => client.endAsync()))
}

export const DURABLE_STEPS: readonly Step[] = [durableSubscription, competingConsumers]
