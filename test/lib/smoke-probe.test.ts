/** The probe of `cdk deploy -c probe=true`: what it may, what its rules see, and what its answers say. */

import { MqttBackendStack } from '../../lib/mqtt-backend-stack.ts'
import { type ProbeAnswer, probeAnswers } from '../../lib/probe-rules.ts'
import { compileRule } from '../../local/rules/rule-evaluator.ts'
import { pageTable } from '../support/page-conf.ts'
import { backend, type Properties, templateOf } from '../support/synthesized.ts'
import { templateProblems } from '../support/template-problems.ts'

const probed = templateOf(
  (app) => new MqttBackendStack(app, 'MqttBackend', { env: { region: 'eu-west-1' }, backend: { hookTable: pageTable() }, probe: true }),
)
const rules = probed.ofType('AWS::IoT::TopicRule').filter(([id]) => id.startsWith('Probe'))
const sqlOf = (kind: string): string => rules.find(([id]) => id.startsWith(`ProbeRule${kind}`))![1].Properties.TopicRulePayload.Sql

test('adds to a stack what has its name, and changes nothing', () => {
  const { resources } = backend(pageTable())
  const others = Object.entries(probed.resources).filter(([id]) => !id.startsWith('Probe'))
  expect(Object.fromEntries(others)).toEqual(resources)
  expect(rules).toHaveLength(4)
})

test('has no problem but that its wildcard rule takes events only', async () => {
  const problems = await templateProblems(probed)
  expect(problems).toEqual([expect.stringMatching(/^ProbeRulewildcard\w*: selects nothing of two\/three$/)])
})

test('its rules may send to the queue that is read; where the errors come from they may not', () => {
  const [[id]] = probed.ofType('AWS::SQS::Queue').filter(([name]) => name.startsWith('ProbeEvents')) as [[string, unknown]]
  const [{ PolicyDocument }] = probed.one('AWS::IAM::Role', 'Probe').Properties.Policies
  expect(PolicyDocument.Statement).toEqual([{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: [{ 'Fn::GetAtt': [id, 'Arn'] }] }])
  const ends = rules.map(([rule, { Properties }]) => [
    /^ProbeRule([a-z]+)/.exec(rule)![1],
    Properties.TopicRulePayload.Actions.map(({ Sqs }: Properties) => Sqs.QueueUrl.Ref === id),
    Properties.TopicRulePayload.ErrorAction.Sqs.QueueUrl.Ref === id,
  ])
  expect(ends.sort()).toEqual([
    ['empty', [true], true],
    ['error', [false], true],
    ['trace', [true], true],
    ['wildcard', [true], true],
  ])
})

describe('what its rules see', () => {
  const seen = (kind: string, topic: string) =>
    compileRule(sqlOf(kind)).evaluate({ topic, clientid: 'c', payload: Buffer.alloc(0), at: 1, uuid: 'u', traceid: 't' })
  test.each([
    ['wildcard', '$aws/events/presence/connected/smoke-1a-clock', true],
    ['wildcard', '$aws/events/presence/connected/pump-7', false],
    ['wildcard', 'smoke/1a/test', false],
    ['empty', 'smoke/1a/empty', true],
    ['empty', 'sensors/empty', false],
    ['trace', 'smoke/1a/trace', true],
    ['error', 'smoke/1a/trace', true],
  ])('%s of %s: %s', (kind, topic, wanted) => {
    expect(seen(kind, topic) !== undefined).toBe(wanted)
  })
})

describe('its answers', () => {
  const said = (...events: unknown[]) =>
    probeAnswers(
      events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event))),
      '1a',
    ).map(({ seen }: ProbeAnswer) => seen)
  const connected = (name: string) => ({ kind: 'wildcard', topic: `$aws/events/presence/connected/smoke-${name}` })
  const topic = 'smoke/1a/trace'
  const empty = { kind: 'empty', topic: 'smoke/1a/empty' }

  test.each<[string, unknown[], string[]]>([
    ['nothing came', [], ['no: not one connected event came', 'no event came', 'no traceid() came; no rule error came']],
    ['FROM # takes $aws', [connected('1a-x'), connected('1a-y')], ['yes: 2 connected events came']],
    ['another run', [connected('1b-x'), { ...empty, topic: 'smoke/1b/empty' }], ['no: not one connected event came', 'no event came']],
    ['no JSON, no object', ['{', 'null', '[]'], ['no: not one connected event came']],
    ['empty: missing', [empty], [expect.anything(), 'it is missing']],
    ['empty: null', [{ ...empty, payload: null }], [expect.anything(), 'null']],
    ['empty: ""', [{ ...empty, payload: '' }], [expect.anything(), '""']],
    [
      'the same trace',
      [
        { kind: 'trace', topic, traceid: 't' },
        { topic, cloudwatchTraceId: 't' },
      ],
      [expect.anything(), expect.anything(), 'traceid() "t"; the rule error has the same'],
    ],
    [
      'another trace',
      [
        { kind: 'trace', topic, traceid: 't' },
        { topic, cloudwatchTraceId: 'u' },
      ],
      [expect.anything(), expect.anything(), 'traceid() "t"; the rule error has "u"'],
    ],
  ])('%s', (_, events, wanted) => {
    expect(said(...events).slice(0, wanted.length)).toEqual(wanted)
  })
})
