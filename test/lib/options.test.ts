import { checkOptions, optionsOf } from '../../lib/options.ts'

describe('options from context', () => {
  test.each<[string, Record<string, unknown>, object]>([
    ['none', {}, {}],
    ["what is CDK's own is left alone", { '@aws-cdk/core:x': true, 'aws:cdk:y': 1, 'a/b': 2 }, {}],
    [
      'as the command line gives them',
      { dev: 'true', retainIndex: 'false', billing: 'provisioned', prefix: 'a_' },
      { dev: true, retainIndex: false, billing: 'provisioned', prefix: 'a_' },
    ],
    ['as cdk.json gives them', { existingTables: true, conf: 'my.conf' }, { existingTables: true, conf: 'my.conf' }],
    ['an endpoint', { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }, { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }],
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
    ['dev', 'yes', /^option dev is "yes", wanted true or false$/],
    ['billing', 'PAY_PER_REQUEST', /^option billing is "PAY_PER_REQUEST", wanted on-demand or provisioned$/],
    ['prefix', 'a b', /^option prefix is "a b", wanted letters/],
    ['prefix', 'x'.repeat(238), /at most 237$/],
    ['keyArn', 'alias/mine', /^option keyArn is "alias\/mine", wanted the ARN of a KMS key/],
    ['dataEndpoint', 'https://host/path', /^option dataEndpoint is "https:\/\/host\/path", wanted a host name/],
    ['alarmTopicArn', 'my-topic', /^option alarmTopicArn is "my-topic", wanted the ARN of an SNS topic/],
    ['alarmEmail', 'ops', /^option alarmEmail is "ops", wanted an e-mail address$/],
    ['conf', '', /^option conf is "", wanted the path of a conf file$/],
    ['billling', 'provisioned', /^unknown option billling, wanted one of conf, prefix, billing, /],
    ['constructor', 'x', /^unknown option constructor/],
  ])('refuses %s %j', (name, value, reason) => {
    expect(() => optionsOf({ [name]: value })).toThrow(reason)
  })
})

test('refuses a wrong option of an app that imports the construct', () => {
  expect(() => checkOptions({ billing: 'free' as 'on-demand' })).toThrow(/^option billing is "free", wanted on-demand or provisioned$/)
  expect(() => checkOptions({ prefix: undefined, dev: true })).not.toThrow()
})
