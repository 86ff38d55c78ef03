/** The trial, step by step: what an operator does in the first week, on an engine that is not ours. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { type Assembly, prefixedCopy, STACK } from './assemblies.ts'
import { ACCOUNT, elements, query, REGION } from './aws-engine.ts'
import { cdk, cdkMust } from './cdk-cli.ts'
import { connectDevice } from './device.ts'
import { GAPS } from './engine-gaps.ts'
import type { Ground } from './ground.ts'
import { tryRoles } from './strict-trial.ts'
import { tryTemplate } from './template-trial.ts'

export interface Step {
  readonly name: string
  /** @throws Error if it does not hold. A text that it returns is reported. */
  run(ground: Ground): Promise<unknown>
}

const DEVICE = 'device-1'
const PATIENCE_MS = 30_000

const deploy = (assembly: Assembly, ...flags: string[]) => [
  'deploy',
  STACK,
  '--app',
  assembly.directory,
  '--require-approval',
  'never',
  ...flags,
]

export const STEPS: readonly Step[] = [
  {
    name: 'cdk bootstrap',
    run: async ({ engine, first }) => void (await cdkMust(engine, 'bootstrap', `aws://${ACCOUNT}/${REGION}`, '--app', first.directory)),
  },
  {
    name: 'a first deployment that fails is rolled back, and leaves the tables',
    async run({ engine, failing, tables }) {
      const { status, said } = await cdk(engine, ...deploy(failing))
      assert.notEqual(status, 0, said)
      assert.deepEqual((await tables()).toSorted(), TABLE_NAMES.toSorted())
    },
  },
  {
    name: 'cdk deploy --import-existing-resources takes them into the stack',
    async run(ground) {
      const { engine, first } = ground
      const said = await cdkMust(engine, ...deploy(first, '--import-existing-resources'))
      assert.equal(imports(said), TABLE_NAMES.length, said)
      return await taken(ground, first)
    },
  },
  {
    name: "a device's connection and subscription become rows: lifecycle event, rule, queue, mapping, function",
    async run(ground) {
      const device = await connectDevice(ground.engine, DEVICE)
      await device.subscribeAsync('a/b', { qos: 1 })
      await row(ground, 'mqtt_client', { clientid: { S: DEVICE }, connect_state: { N: '1' } })
      await row(ground, 'mqtt_sub', { clientid: { S: DEVICE }, topic: { S: 'a/b' }, origin: { S: 'client' } })
      await device.endAsync()
      await row(ground, 'mqtt_client', { clientid: { S: DEVICE }, connect_state: { N: '0' } })
    },
  },
  {
    name: "a publish in its hook's queue becomes a message and its topic's row: queue, mapping, function",
    async run(ground) {
      await publishInQueue(ground, 'a/b', 'hello')
      await row(ground, 'mqtt_topic_msg_map', { topic: { S: 'a/b' } })
    },
  },
  {
    name: "a device's acknowledgement takes it off: rule, queue, mapping, function",
    async run(ground) {
      const device = await connectDevice(ground.engine, DEVICE)
      await device.subscribeAsync('a/b', { qos: 1 })
      await row(ground, 'mqtt_sub', { clientid: { S: DEVICE }, topic: { S: 'a/b' } })
      const [message] = await ground.rows('mqtt_msg')
      const msgid = (message!.msgid as { S: string }).S
      await device.publishAsync(`acked/${DEVICE}`, JSON.stringify({ msgid, topic: 'a/b' }), { qos: 1 })
      await row(ground, 'mqtt_acked', { topic: { S: 'a/b' }, clientid: { S: DEVICE }, msgid: { S: msgid } })
      assert.deepEqual(await ground.rows('mqtt_msg'), [])
      await device.endAsync()
    },
  },
  {
    name: 'cdk deploy of a conf with another filter replaces that rule, and no other',
    async run({ engine, second, rules }) {
      const before = await rules()
      await cdkMust(engine, ...deploy(second))
      const after = await rules()
      const without = (these: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>) =>
        [...these].filter(([name]) => !others.has(name)).map(([, topicPattern]) => topicPattern)
      assert.deepEqual([without(before, after), without(after, before)], [['#'], ['plant', 'plant/#']])
    },
  },
  {
    name: 'a publish on that filter in its queue becomes a message, with the function of the new conf',
    run: (ground) => publishInQueue(ground, 'plant/1/temperature', 'warm'),
  },
  {
    name: 'cdk deploy with another prefix is refused, and makes no table',
    async run({ engine, second, tables }) {
      const { status, said } = await cdk(engine, ...deploy(prefixedCopy(engine, second, 'other_')))
      assert.notEqual(status, 0, said)
      assert.match(said, /Give the option prefix of the last deployment/)
      assert.deepEqual((await tables()).toSorted(), TABLE_NAMES.toSorted())
    },
  },
  {
    name: 'cdk destroy leaves the tables and their rows, and no rule',
    async run({ engine, second, tables, rows, rules }) {
      await cdkMust(engine, 'destroy', STACK, '--app', second.directory, '--force')
      assert.deepEqual((await tables()).toSorted(), TABLE_NAMES.toSorted())
      await row({ rows }, 'mqtt_msg', KEPT)
      assert.deepEqual([...(await rules())], [])
    },
  },
  {
    name: 'cdk deploy --import-existing-resources brings the stack back to its rows',
    async run(ground) {
      const said = await cdkMust(ground.engine, ...deploy(ground.second, '--import-existing-resources'))
      assert.equal(imports(said), TABLE_NAMES.length, said)
      await taken(ground, ground.second)
      await row(ground, 'mqtt_msg', KEPT)
    },
  },
  {
    name: 'mqtt-dynamodb template: deployed by the lines that it prints, without CDK and bootstrap; again with other parameters; another prefix is refused',
    async run(ground) {
      const table = await tryTemplate(ground)
      const device = await connectDevice(ground.engine, DEVICE)
      await row(ground, table, { clientid: { S: DEVICE }, connect_state: { N: '1' } })
      await device.endAsync()
    },
  },
  {
    name: 'where every permission is checked: with its role each function handles an event of its hook, without its grants none does',
    run: ({ python, engine, first }) => tryRoles(python, { assembly: first, dataUrl: engine.url }),
  },
  ...GAPS.map(({ gap, isThere }) => ({
    name: `known gap: ${gap}`,
    async run(ground: Ground) {
      assert.ok(await isThere(ground), `the engine no longer has this gap: take it from engine-gaps.ts and docs/testing.md`)
    },
  })),
]

/** A row from before the stack was destroyed. */
const KEPT = { topic: { S: 'plant/1/temperature' } }

/** What the rule of a publish sends, where the engine's rules cannot. */
async function publishInQueue(ground: Ground, topic: string, text: string): Promise<void> {
  const QueueUrl = (await ground.outputs()).get('MessagePublishQueueUrl')!
  const payload = Buffer.from(text).toString('base64')
  const event = { topic, clientid: 'sender', timestamp: Date.now(), traceid: randomUUID(), payload }
  await ground.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(event) }))
  await row(ground, 'mqtt_msg', { topic: { S: topic }, payload: { S: text } })
}

const imports = (said: string): number => said.match(/IMPORT_COMPLETE/g)?.length ?? 0

/** Every resource of the assembly is the stack's; which types, and what was stripped. */
async function taken({ engine }: Ground, { resources, stripped }: Assembly): Promise<string> {
  const described = await query(engine, 'cloudformation', 'DescribeStackResources', { StackName: STACK })
  assert.deepEqual(elements(described, 'LogicalResourceId').toSorted(), Object.keys(resources).toSorted())
  const types = new Map<string, number>()
  for (const { Type } of Object.values(resources)) types.set(Type, (types.get(Type) ?? 0) + 1)
  const counted = [...types].map(([type, count]) => `${count} ${type}`)
  const left = [...stripped].map(([type, count]) => `${count} ${type}`)
  return `took ${counted.join(', ')}; stripped: ${left.join(', ') || 'nothing'}`
}

/** Waits for a row with these attributes. */
async function row({ rows }: Pick<Ground, 'rows'>, table: string, attributes: Readonly<Record<string, unknown>>): Promise<void> {
  const has = (one: Record<string, unknown>) =>
    Object.entries(attributes).every(([name, value]) => JSON.stringify(one[name]) === JSON.stringify(value))
  const until = Date.now() + PATIENCE_MS
  while (!(await rows(table)).some(has)) {
    if (Date.now() > until) throw new Error(`${table}: no row with ${JSON.stringify(attributes)}; ${JSON.stringify(await rows(table))}`)
    await sleep(100)
  }
}
