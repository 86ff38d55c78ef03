/**
 * What AWS documents for `cdk deploy --import-existing-resources`: it takes a resource that is there into the stack, if the resource
 * has a static name, the template retains it, and no other stack has it. So a stack comes back after a first deployment that failed,
 * and after `cdk destroy`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPTION_COMBINATIONS } from '../support/option-combinations.ts'
import { pageTable } from '../support/page-conf.ts'
import { backend, EVERY_HOOK, type Resource } from '../support/synthesized.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** Properties by which a resource gets a name from the template. */
const nameOf = ({ Properties }: Resource): unknown =>
  Object.entries(Properties ?? {}).find(([key]) =>
    /^(?:TableName|QueueName|RuleName|FunctionName|RoleName|LogGroupName|AlarmName|DashboardName|TopicName)$/.test(key),
  )?.[1]

describe.each(Object.entries(OPTION_COMBINATIONS))('%s', (_, options) => {
  const resources = Object.entries(backend(pageTable(), options).resources)
  const kept = resources.filter(
    ([, { DeletionPolicy, UpdateReplacePolicy }]) =>
      (DeletionPolicy ?? 'Delete') !== 'Delete' || (UpdateReplacePolicy ?? 'Delete') !== 'Delete',
  )

  test('what stays can be imported: tables with a static name, retained', () => {
    for (const [id, { Type, Properties, DeletionPolicy, UpdateReplacePolicy }] of kept)
      expect([id, Type, DeletionPolicy, UpdateReplacePolicy, typeof Properties.TableName]).toEqual([
        id,
        'AWS::DynamoDB::Table',
        'Retain',
        'Retain',
        'string',
      ])
  })

  test('what does not stay leaves no name behind that the next deployment would find taken', () => {
    const named = resources.filter(([, resource]) => typeof nameOf(resource) === 'string' && resource.Type !== 'AWS::DynamoDB::Table')
    expect([...new Set(named.map(([, { Type }]) => Type))]).toEqual(['AWS::IoT::TopicRule'])
    for (const [, { DeletionPolicy = 'Delete' }] of named) expect(DeletionPolicy).toBe('Delete')
  })
})

test('by default all six tables stay', () => {
  const tables = backend(EVERY_HOOK).ofType('AWS::DynamoDB::Table')
  expect(tables.map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual(Array(6).fill('Retain'))
})

/** As CloudFormation documents stack policies: what a statement denies is denied; what none allows is denied too. */
const allows = (policy: { Statement: Statement[] }, action: string, type: string): boolean => {
  const applies = ({ Action, Condition }: Statement) =>
    [Action].flat().some((each) => each === action || each === 'Update:*') &&
    (Condition === undefined || [Condition.StringEquals.ResourceType].flat().includes(type))
  const effects = policy.Statement.filter(applies).map(({ Effect }) => Effect)
  return effects.includes('Allow') && !effects.includes('Deny')
}
interface Statement {
  Effect: string
  Action: string | string[]
  Principal: string
  Resource: string
  Condition?: { StringEquals: { ResourceType: string | string[] } }
}

test('etc/stack-policy.json forbids that a deployment replaces or drops a table, and nothing else', () => {
  const policy = JSON.parse(readFileSync(join(ROOT, 'etc', 'stack-policy.json'), 'utf8'))
  for (const { Principal, Resource } of policy.Statement) expect([Principal, Resource]).toEqual(['*', '*'])
  const types = new Set(Object.values(backend(EVERY_HOOK).resources).map(({ Type }) => Type))
  const forbidden = [...types].flatMap((type) =>
    ['Update:Modify', 'Update:Replace', 'Update:Delete']
      .filter((action) => !allows(policy, action, type))
      .map((action) => `${action} ${type}`),
  )
  expect(forbidden).toEqual(['Update:Replace AWS::DynamoDB::Table', 'Update:Delete AWS::DynamoDB::Table'])
})
