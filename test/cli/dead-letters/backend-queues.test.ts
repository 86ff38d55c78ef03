/** The stack's queues are found by what CDK and CloudFormation call them: held to the synthesized template. */
import { Stack } from 'aws-cdk-lib/core'
import { hookOfRule } from '../../../cli/dead-letters/aws-names.ts'
import { type BackendQueues, queuesInOutputs, queuesListed } from '../../../cli/dead-letters/backend-queues.ts'
import { HOOKS } from '../../../lambda/core/hooks.ts'
import { MqttBackend } from '../../../lib/mqtt-backend.ts'
import { optionsOf } from '../../../lib/options/options.ts'
import { backend, EVERY_HOOK, type SynthesizedTemplate, templateOf } from '../../support/synthesized.ts'

const URL_OF = 'https://sqs.eu-west-1.amazonaws.com/123456789012/'
/** As CloudFormation names the queues of a stack. */
const urlsIn = (template: SynthesizedTemplate, stack: string) =>
  template.ofType('AWS::SQS::Queue').map(([id]) => `${URL_OF}${stack}-${id}-JTbQ1dVz0aYq`)

const own = backend(EVERY_HOOK)
const imported = templateOf((app) => {
  const stack = new Stack(app, 'Shop', { env: { region: 'eu-west-1' } })
  new MqttBackend(stack, 'Mqtt', { hookTable: EVERY_HOOK, dataEndpoint: 'localhost' })
  return stack
})

/** By what they are in the template: whose rule sends where, and where what fails there goes. */
function expectAll(queues: BackendQueues, template: SynthesizedTemplate) {
  expect([...queues.hooks.keys()]).toEqual(HOOKS)
  const urls = [...queues.hooks.values()].flatMap(({ events, deadLetters }) => [events, deadLetters])
  expect(new Set([...urls, queues.ruleErrors]).size).toBe(2 * HOOKS.length + 1)
  const idOf = (url: string) => template.ofType('AWS::SQS::Queue').find(([id]) => url.includes(`-${id}-`))![0]
  for (const { events, deadLetters } of queues.hooks.values()) {
    const { RedrivePolicy } = template.resources[idOf(events)]!.Properties
    expect(RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]).toBe(idOf(deadLetters))
  }
  for (const [, { Properties }] of template.ofType('AWS::IoT::TopicRule')) {
    const { Actions, ErrorAction } = Properties.TopicRulePayload
    const hook = hookOfRule(Properties.RuleName)!
    expect(Actions.map((action: never) => (action as typeof ErrorAction).Sqs.QueueUrl.Ref)).toEqual([idOf(queues.hooks.get(hook)!.events)])
    expect(ErrorAction.Sqs.QueueUrl.Ref).toBe(idOf(queues.ruleErrors!))
  }
}

test('by their names, in a stack of its own', () => {
  expectAll(queuesListed(urlsIn(own, 'MqttBackend'), 'MqttBackend'), own)
})

test('by their names, in the stack of an app that imports the construct', () => {
  expectAll(queuesListed(urlsIn(imported, 'Shop'), 'Shop'), imported)
})

test("another stack's queues and queues of other kinds are none of it", () => {
  const others = [...urlsIn(own, 'MqttBackend-test'), `${URL_OF}MqttBackend-Other11112222-AAAA`, `${URL_OF}MqttBackend`]
  const queues = queuesListed([...others, ...urlsIn(own, 'MqttBackend')], 'MqttBackend')
  expect(queues).toEqual(queuesListed(urlsIn(own, 'MqttBackend'), 'MqttBackend'))
})

test('the option stackName leaves CloudFormation room for whole names: SQS allows 80 characters', () => {
  const longest = Math.max(...own.ofType('AWS::SQS::Queue').map(([id]) => id.length))
  expect(() => optionsOf({ stackName: 'x'.repeat(22) })).not.toThrow()
  expect(() => optionsOf({ stackName: 'x'.repeat(23) })).toThrow(/at most 22/)
  // CloudFormation adds 12 or 13 letters and digits of its own.
  expect(22 + '-'.length + longest + '-'.length + 13).toBeLessThanOrEqual(80)
})

/** What `cdk deploy --outputs-file` writes. */
const outputs = Object.fromEntries(
  Object.entries(own.outputs).map(([name, { Value }]) => [
    name,
    typeof Value === 'string' ? Value : `${URL_OF}MqttBackend-${(Value as { Ref: string }).Ref}-JTbQ1dVz0aYq`,
  ]),
)

test('by the outputs', () => {
  const text = JSON.stringify({ MqttBackend: outputs })
  expectAll(queuesInOutputs(text), own)
  expect(queuesInOutputs(text, 'MqttBackend')).toEqual(queuesInOutputs(text))
})

const rows = (url: string) => ({ MessagePublishQueueUrl: url, MessagePublishDeadLetterQueueUrl: `${url}-dead` })
test('a conf of one hook has two queues', () => {
  const queues = queuesInOutputs(JSON.stringify({ S: rows('http://localhost/0/q') }))
  expect([...queues.hooks]).toEqual([['message.publish', { events: 'http://localhost/0/q', deadLetters: 'http://localhost/0/q-dead' }]])
})

test.each<[string, () => unknown, string]>([
  ['a stack without queues', () => queuesListed([], 'S'), 'stack S has no queue of a hook'],
  [
    'half of a pair',
    () => queuesListed([`${URL_OF}S-MessagePublishQueueEvents00000000-A`], 'S'),
    'stack S has only one of the two queues of message.publish',
  ],
  [
    'two of a kind',
    () =>
      queuesListed(
        ['A', 'B'].map((name) => `${URL_OF}S-${name}MessagePublishQueueEvents00000000-A`),
        'S',
      ),
    'stack S has two queues for message.publish: ',
  ],
  ['outputs that are no JSON', () => queuesInOutputs('{'), 'the outputs are no JSON object, wanted what cdk deploy --outputs-file writes'],
  ['outputs of no stack', () => queuesInOutputs('{}'), 'the outputs have no stack at all'],
  ['outputs of another stack', () => queuesInOutputs('{"A":{}}', 'B'), 'the outputs have no stack B'],
  ['outputs of two stacks', () => queuesInOutputs('{"A":{},"B":{}}'), 'the outputs are of A, B, wanted one (--stack)'],
  ['a stack that is no object', () => queuesInOutputs('{"A":1}'), 'the outputs of A has no queue of a hook'],
  ['outputs that are a list', () => queuesInOutputs('[]'), 'the outputs are no JSON object'],
  ['a URL that is none', () => queuesInOutputs(JSON.stringify({ A: rows('q') })), 'the outputs of A has no queue of a hook'],
])('refuses %s', (_, find, text) => {
  expect(find).toThrow(expect.objectContaining({ message: expect.stringContaining(text) }))
})
