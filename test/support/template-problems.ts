/** What neither CDK's rules nor cdk-nag see in a template, each problem in a line. */
import { SQL_VERSION } from '../../lib/pipeline/rule-sql.ts'
import { compileRule } from '../../local/rules/rule-evaluator.ts'
import { actionsOf, grammarProblems } from './iam-grammar.ts'
import { arnText, type PlacedStatement, statementsIn } from './policy-statements.ts'
import type { Properties, SynthesizedTemplate } from './synthesized.ts'

export async function templateProblems(template: SynthesizedTemplate): Promise<string[]> {
  const statements = statementsIn(template)
  const grammar = await Promise.all(
    statements.map(async ({ where, kind, statement }) => {
      const resources = kind === 'trust' ? [] : [statement.Resource].flat().map((each) => arnText(each, template))
      return (await grammarProblems(statement, resources)).map((problem) => `${where}: ${problem}`)
    }),
  )
  return [
    ...grammar.flat(),
    ...statements.flatMap((each) => [...wildcardProblems(each, template), ...sourceProblems(each)]),
    ...ruleProblems(template),
    ...permissionProblems(template),
    ...transportProblems(template),
    ...tableNameProblems(template),
  ]
}

/** Each wildcard that the stack may have. */
const EXPLAINED: readonly { actions: RegExp; resource: RegExp; why: string }[] = [
  { actions: /^iot:DescribeEndpoint$/, resource: /^\*$/, why: 'the action knows no resource' },
  {
    actions: /^iot:(?:SendDirectMessage|GetConnection|ListSubscriptions)$/,
    resource: /:client\/\*$/,
    why: 'the devices are known at run time only',
  },
  { actions: /^iot:GetRetainedMessage$/, resource: /:topic\/\*$/, why: 'so are their topics' },
  { actions: /^logs:(?:CreateLogStream|PutLogEvents)$/, resource: /:log-group:\w+:log-stream:\*$/, why: 'Lambda names the streams' },
]
const EXPLAINED_ACTIONS: Readonly<Record<string, string>> = {
  'kms:ReEncrypt*': 'what DynamoDB asks for, through DynamoDB only',
  'kms:GenerateDataKey*': 'what DynamoDB asks for, through DynamoDB only',
}

function wildcardProblems({ where, kind, statement }: PlacedStatement, template: SynthesizedTemplate): string[] {
  // A Deny may be as wide as it likes.
  if (statement.Effect !== 'Allow' || kind === 'trust') return []
  const wide = actionsOf(statement).filter((action) => action.includes('*') && !(action in EXPLAINED_ACTIONS))
  const resources = [statement.Resource].flat().map((each) => arnText(each, template))
  const pairs = actionsOf(statement).flatMap((action) => resources.map((resource) => ({ action, resource })))
  const unexplained = pairs.filter(
    ({ action, resource }) =>
      resource.includes('*') && !EXPLAINED.some((each) => each.actions.test(action) && each.resource.test(resource)),
  )
  return [
    ...wide.map((action) => `${where}: nothing explains the action ${action}`),
    ...unexplained.map(({ action, resource }) => `${where}: nothing explains ${action} on ${resource}`),
  ]
}

/** The confused deputy: a service acts for this account and for these of its resources only. */
function sourceProblems({ where, kind, statement }: PlacedStatement): string[] {
  if (kind === 'identity' || statement.Effect !== 'Allow') return []
  const services = [statement.Principal?.Service ?? []].flat()
  // Lambda takes a role that whoever made the function was allowed to pass (iam:PassRole).
  const asking = kind === 'trust' ? services.filter((service) => service !== 'lambda.amazonaws.com') : services
  const keys = Object.values(statement.Condition ?? {}).flatMap((tests) => Object.keys(tests as Properties))
  const missing = ['aws:SourceArn', 'aws:SourceAccount'].filter((key) => asking.length > 0 && !keys.includes(key))
  const anybody = services.length === 0 && keys.length === 0 ? [`${where}: allows ${JSON.stringify(statement.Principal)}`] : []
  return [...missing.map((key) => `${where}: ${asking} without ${key}`), ...anybody]
}

const permissionProblems = (template: SynthesizedTemplate): string[] =>
  template
    .ofType('AWS::Lambda::Permission')
    .flatMap(([id, { Properties }]) =>
      ['SourceArn', 'SourceAccount'].filter((name) => Properties[name] === undefined).map((name) => `${id}: a permission without ${name}`),
    )

const ruleProblems = (template: SynthesizedTemplate): string[] =>
  template.ofType('AWS::IoT::TopicRule').flatMap(([id, { Properties }]) => {
    const { Sql, AwsIotSqlVersion } = Properties.TopicRulePayload
    const version = AwsIotSqlVersion === SQL_VERSION ? [] : [`${id}: SQL version ${AwsIotSqlVersion}`]
    return [...version, ...sqlProblems(Sql).map((problem) => `${id}: ${problem}`)]
  })

/** It compiles, and takes a topic that its filter names. */
function sqlProblems(sql: string): string[] {
  try {
    const { filter, evaluate } = compileRule(sql)
    const topic = filter.replaceAll('+', 'one').replace(/#$/, 'two/three')
    const payload = Buffer.from(JSON.stringify({ clientId: 'c1', timestamp: 1, topics: ['t'] }))
    const event = evaluate({ topic, clientid: 'c1', payload, at: 1, uuid: 'u', traceid: 'u' })
    return Object.keys(event ?? {}).length > 0 ? [] : [`selects nothing of ${topic}`]
  } catch (error) {
    return [(error as Error).message]
  }
}

function transportProblems(template: SynthesizedTemplate): string[] {
  const denied = template.ofType('AWS::SQS::QueuePolicy').flatMap(([, { Properties }]) => {
    const denies = Properties.PolicyDocument.Statement.some(
      ({ Effect, Action, Principal, Condition }: Properties) =>
        Effect === 'Deny' && Action === 'sqs:*' && Principal?.AWS === '*' && Condition?.Bool?.['aws:SecureTransport'] === 'false',
    )
    return denies ? Properties.Queues.map(({ Ref }: { Ref: string }) => Ref) : []
  })
  return template.ofType('AWS::SQS::Queue').flatMap(([id]) => (denied.includes(id) ? [] : [`${id}: takes requests without TLS`]))
}

const tableNameProblems = (template: SynthesizedTemplate): string[] =>
  template
    .ofType('AWS::DynamoDB::Table')
    .flatMap(([id, { Properties }]) =>
      /^[\w.-]{3,255}$/.test(Properties.TableName) ? [] : [`${id}: no table name: ${Properties.TableName}`],
    )
