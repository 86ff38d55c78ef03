import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hookTableIn } from '../../lib/conf/conf.ts'
import { SynthesizedTemplate } from '../support/synthesized.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const APP = join(import.meta.dirname, 'importing-app.ts')

/** Somewhere else than here: an app has its own working directory. */
const directory = mkdtempSync(join(tmpdir(), 'importing-'))
afterAll(() => rmSync(directory, { recursive: true }))

const synth = () => {
  const loader = pathToFileURL(join(ROOT, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href
  const env = { PATH: process.env.PATH, CDK_OUTDIR: join(directory, 'cdk.out') }
  return spawnSync(process.execPath, ['--import', loader, APP], { cwd: directory, env, encoding: 'utf8' })
}

const CONNECTED = 'backend.dynamo.hook.client.connected.1 = {"action": {"function": "on_client_connected"}, "pool": "pool1"}\n'
const PUBLISH = 'backend.dynamo.hook.message.publish.1 = {"topic": "a", "action": {"function": "on_message_publish"}, "pool": "pool1"}\n'
const POOL = 'backend.dynamo.pool1.server = http://localhost:8000\n'

test('an app that imports the construct synthesizes, with no more than Node, from its own folder', () => {
  writeFileSync(join(directory, 'my.conf'), POOL + CONNECTED + PUBLISH)
  const { status, stderr } = synth()
  expect({ status, failure: status === 0 ? '' : stderr }).toEqual({ status: 0, failure: '' })
  const template = new SynthesizedTemplate(JSON.parse(readFileSync(join(directory, 'cdk.out', 'Shop.template.json'), 'utf8')))
  const [table] = template.ofType('AWS::DynamoDB::Table').filter(([id]) => id.includes('MqttClient'))
  expect(template.outputs.Presence?.Value).toEqual({ Ref: table![0] })
  expect(JSON.stringify(template.one('AWS::IAM::Policy', 'Console').Properties)).toContain(table![0])
  expect(JSON.stringify(template.one('AWS::CloudWatch::Dashboard').Properties)).toContain('Who is on call: ...')
  expect(table![1].Properties.TableName).toBe('shop-mqtt_client')
  expect(template.one('AWS::Lambda::Function', 'MqttClientConnected').Properties.Environment.Variables).toEqual({
    METRICS_NAMESPACE: 'Shop',
    MAX_RECEIVES: '28',
    MQTT_CLIENT_TABLE: { Ref: table![0] },
    MQTT_SUB_TABLE: expect.anything(),
    MQTT_TOPIC_MSG_MAP_TABLE: expect.anything(),
  })
}, 60_000)

test('its bad conf is refused with file and line', () => {
  const conf = POOL + CONNECTED.replace('on_client_connected', 'on_nothing')
  expect(() => hookTableIn(conf, 'my.conf')).toThrow(/^my\.conf:2: .*on_nothing/)
})

test('docs/deploy.md has the lines that it takes', () => {
  const page = readFileSync(join(ROOT, 'docs', 'deploy.md'), 'utf8')
  const section = page.split('## From a CDK app of your own')[1]!.split('\n## ')[0]!
  const lines = [...section.matchAll(/```ts\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.trim().split('\n'))
  expect(lines).toHaveLength(5)
  const code = readFileSync(APP, 'utf8')
  for (const line of lines) expect(code).toContain(line.replace("from 'mqtt-dynamodb'", "from '../../lib/public-api.ts'"))
})
