/** The five problems that CDK's rules and cdk-nag miss: no template of ours has them, and they are found in every broken one. */
import { OPTION_COMBINATIONS } from '../support/option-combinations.ts'
import { pageTable } from '../support/page-conf.ts'
import { backend, EVERY_HOOK, type Properties, SynthesizedTemplate } from '../support/synthesized.ts'
import { templateProblems } from '../support/template-problems.ts'

describe.each([
  ["the page's conf", pageTable()],
  ['every action', EVERY_HOOK],
])('%s', (_, hookTable) => {
  test.each(Object.entries(OPTION_COMBINATIONS))('%s: no problem', async (_, options) => {
    expect(await templateProblems(backend(hookTable, options))).toEqual([])
  })
})

const whole = backend(EVERY_HOOK)
const text = JSON.stringify({ Resources: whole.resources, Outputs: whole.outputs })
const broken = (change: (resources: Record<string, { Type: string; Properties: Properties }>) => void) => {
  const template = JSON.parse(text)
  change(template.Resources)
  return templateProblems(new SynthesizedTemplate(template))
}
const first = (resources: Record<string, { Type: string; Properties: Properties }>, type: string, start = '') =>
  Object.entries(resources).find(([id, { Type }]) => Type === type && id.startsWith(start))![1].Properties
const replaced = (from: string, to: string) => templateProblems(new SynthesizedTemplate(JSON.parse(text.replaceAll(from, () => to))))
const ruleTrust = (resources: never) => first(resources, 'AWS::IAM::Role', 'RulesRole').AssumeRolePolicyDocument.Statement[0].Condition

describe('sees', () => {
  test.each<[string, () => Promise<string[]>, RegExp]>([
    ['a function that SQL has not', () => replaced("encode(*, 'base64')", "encod(*, 'base64')"), /^\w+Rule\w*: .*encod/],
    ['a misspelt keyword', () => replaced('FROM ', 'FORM '), /^\w+Rule\w*: .*FORM/],
    [
      'a rule that takes nothing',
      () => replaced("NOT startswith(topic(), '$')", "startswith(topic(), '$')"),
      /selects nothing of two\/three/,
    ],
    ['another SQL version', () => replaced('2016-03-23', '2015-10-08'), /SQL version 2015-10-08/],
    ['a misspelt action', () => replaced('sqs:SendMessage', 'sqs:SendMesage'), /^Rules.*there is no action sqs:SendMesage$/],
    ['an action of no service', () => replaced('sqs:SendMessage', 'sq:SendMessage'), /there is no action sq:SendMessage/],
    [
      'a misspelt condition key',
      () => replaced('aws:SecureTransport', 'aws:SecureTransprt'),
      /there is no condition key aws:SecureTransprt/,
    ],
    [
      "another service's condition key",
      () => broken((all) => Object.assign(ruleTrust(all as never), { StringLike: { 'kms:ViaService': 'x' } })),
      /sts:AssumeRole knows no condition key kms:ViaService/,
    ],
    ['an operator that there is not', () => replaced('ArnLike', 'ArnIs'), /there is no condition operator ArnIs/],
    ['a resource of another kind', () => replaced(':client/*', ':topic/*'), /iot:SendDirectMessage is not for arn:aws:iot:/],
    [
      'a resource where there is none',
      () =>
        broken((all) => Object.assign(first(all, 'AWS::IAM::Policy').PolicyDocument.Statement[0], { Resource: 'arn:aws:iot:r:a:thing/x' })),
      /iot:DescribeEndpoint is for \* only/,
    ],
    [
      'a wildcard',
      () =>
        broken((all) =>
          Object.assign(first(all, 'AWS::IAM::Role', 'MessagePublish').Policies[0].PolicyDocument.Statement[2], { Resource: '*' }),
        ),
      /^MessagePublish.*nothing explains dynamodb:\w+ on \*$/,
    ],
    ['all actions', () => replaced('sqs:SendMessage', 'sqs:*'), /nothing explains the action sqs:\*/],
    ['rules of others', () => broken((all) => delete ruleTrust(all as never).ArnLike), /iot\.amazonaws\.com without aws:SourceArn/],
    [
      'rules of other accounts',
      () => broken((all) => delete ruleTrust(all as never).StringEquals),
      /iot\.amazonaws\.com without aws:SourceAccount/,
    ],
    [
      "a service's permission for any account",
      () =>
        broken((all) => {
          all.Invoke = { Type: 'AWS::Lambda::Permission', Properties: { Principal: 'iot.amazonaws.com', SourceArn: 'arn:x' } }
        }),
      /^Invoke: a permission without SourceAccount$/,
    ],
    [
      'a queue that any rule may fill',
      () =>
        broken((all) =>
          first(all, 'AWS::SQS::QueuePolicy').PolicyDocument.Statement.push({
            Effect: 'Allow',
            Action: 'sqs:SendMessage',
            Principal: { Service: 'iot.amazonaws.com' },
            Resource: 'arn:aws:sqs:r:a:q',
          }),
        ),
      /iot\.amazonaws\.com without aws:SourceArn/,
    ],
    [
      'a queue that takes plain HTTP',
      () => broken((all) => delete all[Object.keys(all).find((id) => all[id]!.Type === 'AWS::SQS::QueuePolicy')!]),
      /takes requests without TLS/,
    ],
    ['an illegal table name', () => replaced('"TableName":"mqtt_acked"', '"TableName":"mqtt acked"'), /no table name: mqtt acked/],
  ])('%s', async (_, problems, wanted) => {
    expect(await problems()).toContainEqual(expect.stringMatching(wanted))
  })
})

test('KMS is granted exactly when a key is given, to every hook, and to the rules that send to the queues', () => {
  for (const options of Object.values(OPTION_COMBINATIONS)) {
    const roles = backend(EVERY_HOOK, options)
      .ofType('AWS::IAM::Role')
      .map(([id, { Properties }]) => ({ id, policies: JSON.stringify(Properties.Policies ?? []) }))
    const using = roles.filter(({ id, policies }) => policies.includes('"dynamodb:') || /^RulesRole/.test(id)).map(({ id }) => id)
    expect(using).toHaveLength(8)
    for (const { id, policies } of roles) expect(policies.includes('"kms:')).toBe(options.keyArn !== undefined && using.includes(id))
  }
})
