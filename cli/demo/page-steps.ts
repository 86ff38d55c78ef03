/** The steps of the demo: one for each chapter of EMQX's page. */
import { isDeepStrictEqual } from 'node:util'
import type { Stage } from './demo-stage.ts'

/** Plays one chapter and checks what must hold. */
export type Step = (stage: Stage) => Promise<void>

const presence: Step = async (stage) => {
  stage.title('Presence: a client connects and disconnects')
  const client = await stage.connect('mqttjs_384b9c73a9')
  const online = await stage.eventually('the client is online', async () => (await stage.presence('mqttjs_384b9c73a9')) === '1')
  await stage.show('mqtt_client')
  await client.endAsync()
  const offline = await stage.eventually('the client is offline', async () => (await stage.presence('mqttjs_384b9c73a9')) === '0')
  await stage.show('mqtt_client')
  stage.check('mqtt_client follows the client', online && offline)
}

const serverSideSubscription: Step = async (stage) => {
  stage.title('Server-side subscription: a row of mqtt_sub subscribes the client when it connects')
  await stage.put('mqtt_sub', {
    clientid: { S: stage.ground.clientName('test-dynamo') },
    topic: { S: stage.ground.topicName('test-dynamo-sub') },
    qos: { N: '2' },
  })
  await stage.show('mqtt_sub')
  const client = await stage.connect('test-dynamo')
  await stage.eventually('the client is subscribed', () => stage.isSubscriber('test-dynamo', 'test-dynamo-sub'))
  await stage.publish('test-dynamo-sub', 'sent to who never subscribed')
  const got = await stage.eventually('the message arrives', async () => stage.received('test-dynamo').length === 1)
  stage.check('a client that never sent SUBSCRIBE gets the message', got)
  await client.endAsync()
}

const offlineMessages: Step = async (stage) => {
  const topic = 'test'
  stage.title('Offline messages: stored while the client is offline, delivered in order, acknowledged and deleted')
  const sent = ['{ "msg": "Hello, World!" }', 'second', 'third', 'fourth', 'fifth']
  for (const payload of sent) await stage.publish(topic, payload)
  await stage.eventually('all are stored', async () => (await stage.rows('mqtt_msg')).length === sent.length)
  await stage.show('mqtt_msg')
  await stage.show('mqtt_topic_msg_map', topic)
  const client = await stage.connect('mqttjs_861e582a70')
  await client.subscribeAsync(stage.ground.topicName(topic), { qos: 1 })
  const delivered = await stage.eventually('all are delivered', async () => stage.received('mqttjs_861e582a70').length >= sent.length)
  const inOrder = isDeepStrictEqual(
    stage.received('mqttjs_861e582a70').map(({ payload }) => payload.toString()),
    sent,
  )
  const gone = await stage.eventually('nothing is left', async () => (await stage.rows('mqtt_msg')).length === 0)
  await stage.show('mqtt_acked')
  stage.check('delivered, oldest first', delivered && inOrder)
  stage.check('acknowledged and deleted', gone)
  await client.endAsync()
}

const retainedMessages: Step = async (stage) => {
  const topic = 'sensors/1/state'
  stage.title('Retained message: stored, delivered to an exact and to a wildcard subscriber, deleted by an empty payload')
  await stage.publish(topic, 'test', { retain: true })
  const stored = await stage.eventually('it is stored', async () => (await stage.rows('mqtt_retain')).length === 1)
  await stage.show('mqtt_retain')
  const exact = await stage.connect('exact')
  await exact.subscribeAsync(stage.ground.topicName(topic), { qos: 1 })
  const wildcard = await stage.connect('wildcard')
  await wildcard.subscribeAsync(stage.ground.topicName('sensors/+/state'), { qos: 1 })
  await stage.eventually('both have it', async () => stage.received('exact').length > 0 && stage.received('wildcard').length > 0)
  const [native] = stage.received('exact')
  const [sent] = stage.received('wildcard')
  stage.check('mqtt_retain holds it', stored)
  stage.check('the exact subscriber got it from IoT Core, with the RETAIN flag', native?.retain === true)
  stage.check(
    'the wildcard subscriber, whom IoT Core sends nothing, got it with the user property retain = 1',
    sent?.properties?.userProperties?.retain === '1',
  )
  await stage.publish(topic, '', { retain: true })
  stage.check(
    'an empty payload deletes it',
    await stage.eventually('it is deleted', async () => (await stage.rows('mqtt_retain')).length === 0),
  )
  await Promise.all([exact.endAsync(), wildcard.endAsync()])
}

const binaryPayload: Step = async (stage) => {
  stage.title('Binary payload: stored byte for byte')
  const bytes = Buffer.from([0x00, 0xff, 0xfe, 0x80, 0x00, 0x0a])
  await stage.publish('binary', bytes)
  const isStored = async () => (await stage.rows('mqtt_msg')).some(({ topic }) => topic?.S === stage.ground.topicName('binary'))
  await stage.eventually('it is stored', isStored)
  await stage.show('mqtt_msg', 'binary')
  const client = await stage.connect('binary-reader')
  await client.subscribeAsync(stage.ground.topicName('binary'), { qos: 1 })
  await stage.eventually('it is delivered', async () => stage.received('binary-reader').length > 0)
  stage.check('the same bytes arrive', stage.received('binary-reader')[0]?.payload.equals(bytes) === true)
  await client.endAsync()
}

export const STEPS: readonly Step[] = [presence, serverSideSubscription, offlineMessages, retainedMessages, binaryPayload]
