import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOOKS } from '../../../lambda/core/hooks.ts'
import { TABLE_NAMES } from '../../../lambda/core/tables.ts'
import { refuseContradictions, refuseSharedTables } from '../../../lib/options/contradictions.ts'
import { type AppOptions, type BackendOptions, checkedOptions, OPTION_NAMES, optionsOf } from '../../../lib/options/options.ts'

describe('options from context', () => {
  test.each<[string, Record<string, unknown>, object]>([
    ['none', {}, {}],
    ["what is CDK's own is left alone", { '@aws-cdk/core:x': true, 'aws:cdk:y': 1, 'a/b': 2 }, {}],
    [
      'as the command line gives them',
      { ttl: 'true', retainIndex: 'false', billing: 'provisioned', prefix: 'a_' },
      { ttl: true, retainIndex: false, billing: 'provisioned', prefix: 'a_' },
    ],
    ['as cdk.json gives them', { existingTables: true, conf: 'my.conf' }, { existingTables: true, conf: 'my.conf' }],
    ['an endpoint', { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }, { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }],
    ['a stack name', { stackName: 'plant-7', prefix: '' }, { stackName: 'plant-7', prefix: '' }],
    ['the probe', { probe: 'true' }, { probe: true }],
    ['units', { billing: 'provisioned:40000/1' }, { billing: 'provisioned:40000/1' }],
    ['tables that are there, as text', { existingTables: 'mqtt_msg,mqtt_sub' }, { existingTables: ['mqtt_msg', 'mqtt_sub'] }],
    ['tables that are there, as a list', { existingTables: ['mqtt_msg'] }, { existingTables: ['mqtt_msg'] }],
    [
      'retention, expiry, logs',
      { retention: 'keep', ttl: 'false', logRetention: '3653' },
      { retention: 'keep', ttl: false, logRetention: 3653 },
    ],
    ['who is told of alarms', { alarmEmail: 'ops@example.com' }, { alarmEmail: 'ops@example.com' }],
    ['a budget', { monthlyBudget: '50', alarmEmail: 'ops@example.com' }, { monthlyBudget: 50, alarmEmail: 'ops@example.com' }],
    [
      'whom that is told by',
      { alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:ops' },
      { alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:ops' },
    ],
    ['a number for every hook', { memory: '512', timeout: 900, batchSize: '1' }, { memory: 512, timeout: 900, batchSize: 1 }],
    [
      'numbers by hook, as the command line gives them',
      { memory: '{"message.publish":512,"message.acked":"128"}' },
      { memory: { 'message.publish': 512, 'message.acked': 128 } },
    ],
    ['numbers by hook, as cdk.json gives them', { concurrency: { 'message.publish': 2 } }, { concurrency: { 'message.publish': 2 } }],
    ['an endpoint on a laptop', { dataEndpoint: 'http://127.0.0.1:8081' }, { dataEndpoint: 'http://127.0.0.1:8081' }],
    [
      'a key',
      { keyArn: 'arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-12' },
      { keyArn: 'arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-12' },
    ],
    [
      'who is told of alarms',
      { alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:ops', alarmEmail: 'ops@example.com' },
      { alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:ops', alarmEmail: 'ops@example.com' },
    ],
  ])('%s', (_, context, expected) => {
    expect(optionsOf(context)).toEqual(expected)
  })

  test.each<[string, unknown, RegExp]>([
    ['retainIndex', 'yes', /^option retainIndex is "yes", wanted true or false$/],
    ['dev', 'true', /^unknown option dev, wanted one of conf, stackName, /],
    ['billing', 'PAY_PER_REQUEST', /^option billing is "PAY_PER_REQUEST", wanted on-demand, provisioned \(5\/5\) or provisioned:R\/W with/],
    ['billing', 'provisioned:0/5', /read and write units from 1 to 40000$/],
    ['billing', 'provisioned:5/40001', /^option billing/],
    ['billing', 'provisioned:5', /^option billing/],
    ['stackName', '7up', /^option stackName is "7up", wanted letters, digits and "-", first a letter, at most 22/],
    ['stackName', 'my_stack', /^option stackName is "my_stack", wanted letters/],
    ['stackName', 'x'.repeat(23), /at most 22 \(names of queues have 80\)$/],
    ['prefix', 'a b', /^option prefix is "a b", wanted letters/],
    ['prefix', 'x'.repeat(238), /at most 237$/],
    ['keyArn', 'alias/mine', /^option keyArn is "alias\/mine", wanted the ARN of a KMS key/],
    ['dataEndpoint', 'https://host/path', /^option dataEndpoint is "https:\/\/host\/path", wanted a host name/],
    ['dataEndpoint', 'a..b', /wanted a host name/],
    ['dataEndpoint', 'no host', /wanted a host name/],
    ['dataEndpoint', 'host:65536', /wanted a host name/],
    ['dataEndpoint', '10.0.0.256', /wanted a host name/],
    ['existingTables', 'mqtt_msg,mqtt_msg', /that are there, each once$/],
    ['alarmEmail', 'ops@example..com', /wanted an e-mail address$/],
    [
      'existingTables',
      'mqtt_msg,mqtt_sbu',
      /^option existingTables is "mqtt_msg,mqtt_sbu", wanted true, false, or those of mqtt_client,mqtt_sub,.* that are there, each once$/,
    ],
    ['existingTables', [], /^option existingTables is \[\]/],
    ['retention', 'forever', /^option retention is "forever", wanted keep or dev$/],
    ['maxUnits', '40001/1', /^option maxUnits is "40001\/1", wanted R\/W: read and write units from 1 to 40000$/],
    ['maxUnits', 5000, /^option maxUnits/],
    ['logLevel', 'error', /^option logLevel is "error", wanted info or warn$/],
    ['ttl', 3600, /^option ttl is 3600, wanted true or false$/],
    ['logRetention', '31', /^option logRetention is "31", wanted days that CloudWatch knows: 1, 3, 5, 7, 14, 30, .*3653$/],
    ['logRetention', 9999, /^option logRetention is 9999/],
    ['monthlyBudget', '9.99', /^option monthlyBudget is "9.99", wanted US dollars, 1 to 1000000$/],
    ['alarmQueueDepth', 15, /^option alarmQueueDepth is 15, wanted messages, 16 to 100000000$/],
    ['alarmQueueAge', '59', /^option alarmQueueAge is "59", wanted seconds, 60 to 100000000$/],
    ['alarmEmail', 'ops', /^option alarmEmail is "ops", wanted an e-mail address$/],
    ['alarmTopicArn', 'arn:aws:sns:eu-west-1:111122223333:ops.fifo', /wanted the ARN of a standard SNS topic/],
    [
      'memory',
      127,
      /^option memory is 127, wanted megabytes, 128 to 10240; or such numbers by hook, as \{"message.publish": N\}, of client.connected, /,
    ],
    ['memory', '0x200', /^option memory is "0x200"/],
    ['memory', 512.5, /^option memory is 512.5/],
    ['memory', '{"message.pub":512}', /^option memory is "\{.*message.pub.*, wanted megabytes/],
    ['memory', '{"message.publish":', /^option memory is /],
    ['memory', {}, /^option memory is \{\}/],
    ['memory', { 'message.publish': 64 }, /^option memory is \{"message.publish":64\}/],
    ['timeout', 14, /wanted seconds, 15 to 900/],
    ['timeout', 901, /wanted seconds, 15 to 900/],
    ['concurrency', 1, /wanted invocations at a time, 2 to 1000/],
    ['concurrency', 1001, /wanted invocations at a time, 2 to 1000/],
    ['batchSize', 0, /wanted events, 1 to 10000/],
    ['batchWindow', 301, /wanted seconds, 0 to 300/],
    ['conf', '', /^option conf is "", wanted the path of a conf file$/],
    ['billling', 'provisioned', /^unknown option billling, wanted one of conf, stackName, prefix, billing, /],
    ['constructor', 'x', /^unknown option constructor/],
  ])('refuses %s %j', (name, value, reason) => {
    expect(() => optionsOf({ [name]: value })).toThrow(reason)
  })
})

test('refuses a wrong option of an app that imports the construct, and reads the others', () => {
  expect(() => checkedOptions({ billing: 'free' as 'on-demand' })).toThrow(/^option billing is "free", wanted on-demand, /)
  expect(checkedOptions({ prefix: undefined, retention: 'dev', memory: { 'message.publish': 512 } })).toEqual({
    retention: 'dev',
    memory: { 'message.publish': 512 },
  })
})

describe("another stack's tables", () => {
  test.each<AppOptions>([{ stackName: 'Two' }, { stackName: 'Two', existingTables: ['mqtt_msg'] }])(
    'would be taken with %j: refused',
    (options) => {
      expect(() => refuseSharedTables(options)).toThrow(
        /^option stackName is Two without prefix: its tables would have the names of those of MqttBackend, wanted a prefix .* or existingTables$/,
      )
    },
  )

  test.each<AppOptions>([
    {},
    { stackName: 'MqttBackend' },
    { stackName: 'Two', prefix: 'two_' },
    { stackName: 'Two', prefix: '' },
    { stackName: 'Two', existingTables: true },
  ])('are not taken with %j', (options) => {
    expect(() => refuseSharedTables(options)).not.toThrow()
  })
})

describe('refuses together', () => {
  const place = { hooks: ['message.publish', 'message.acked'], region: 'eu-west-1' } as const
  const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1'
  test.each<[BackendOptions, string]>([
    [
      { existingTables: true, billing: 'provisioned' },
      'option billing is for tables that the stack makes, and with existingTables it makes none: wanted one of the two',
    ],
    [{ existingTables: [...TABLE_NAMES], ttl: true }, 'option ttl is for tables that the stack makes, and with'],
    [
      { billing: 'provisioned', maxUnits: '9/9' },
      'option maxUnits is for on-demand tables, and billing is provisioned, which is a maximum itself; wanted one of the two',
    ],
    [{ existingTables: true, retention: 'keep' }, 'option retention is for tables that the stack makes, and with'],
    [{ keyArn: KEY }, "option keyArn is in us-east-1, wanted one in eu-west-1, the stack's region (backend.dynamo.region of the conf)"],
    [{ alarmTopicArn: 'arn:aws:sns:us-east-1:111122223333:ops' }, 'option alarmTopicArn is in us-east-1, wanted one in eu-west-1'],
    [{ dataEndpoint: 'a1-ats.iot.us-east-1.amazonaws.com' }, 'option dataEndpoint is in us-east-1, wanted one in eu-west-1'],
    [
      { dataEndpoint: 'https://a1-ats.iot.cn-north-1.amazonaws.com.cn:443/' },
      'option dataEndpoint is in cn-north-1, wanted one in eu-west-1',
    ],
    [
      { memory: { 'client.connected': 512 } },
      'option memory names client.connected, for which the conf has no row; wanted one of message.publish, message.acked',
    ],
    [{ batchSize: 11 }, 'option batchSize is 11 for message.publish, which needs a batchWindow of at least 1; wanted that, or at most 10'],
    [{ batchSize: 100, batchWindow: { 'message.publish': 1 } }, 'option batchSize is 100 for message.acked, which needs a batchWindow'],
  ])('%j', (options, reason) => {
    expect(() => refuseContradictions(options, place)).toThrow(
      expect.objectContaining({ code: 'option', message: expect.stringContaining(reason) }),
    )
  })

  test.each<BackendOptions>([
    { existingTables: ['mqtt_msg'], billing: 'provisioned:9/9', retention: 'dev' },
    { existingTables: true, keyArn: KEY.replace('us-east-1', 'eu-west-1'), retainIndex: true },
    { batchSize: 100, batchWindow: 1 },
    { dataEndpoint: 'a1-ats.iot.eu-west-1.amazonaws.com' },
    { dataEndpoint: 'iot.us-east-1.example.com' },
    { concurrency: { 'message.acked': 2 } },
  ])('but not %j', (options) => {
    expect(() => refuseContradictions(options, place)).not.toThrow()
  })

  test('but no region where the stack is for any', () => {
    expect(() => refuseContradictions({ keyArn: KEY }, { hooks: HOOKS, region: undefined })).not.toThrow()
  })
})

test('the table of docs/deploy.md has every option', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'deploy.md'), 'utf8')
  const [table] = /\| option \(`-c name=value`\)[\s\S]*?\n\n/.exec(page)!
  const named = [...table.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name))
  expect(named.sort()).toEqual([...OPTION_NAMES].sort())
})
