/** A conf of 100 filters against the limits of IAM, IoT Core and CloudFormation: a role that named its rules was too long at 7 of them. */
import { Stack } from 'aws-cdk-lib/core'
import { MqttBackend } from '../../../lib/mqtt-backend.ts'
import { MqttBackendStack } from '../../../lib/mqtt-backend-stack.ts'
import { publishFaults } from '../../../lib/pipeline/rule-sql.ts'
import { OPTION_COMBINATIONS } from '../../support/option-combinations.ts'
import { pageTable } from '../../support/page-conf.ts'
import { backend, EVERY_HOOK, type Properties, row, type SynthesizedTemplate, tableOf, templateOf } from '../../support/synthesized.ts'

/** The longest region name, and a stack name as long as the option stackName takes it. */
const ENV = { region: 'ap-southeast-1' }
const STACK_NAME = 'a-name-of-22-charactrs'

const sites = (count: number) => {
  const filters = Array.from({ length: count }, (_, i) => `plant/site${i}/telemetry/#`)
  const others = pageTable().rows.filter(({ hook }) => hook !== 'message.publish')
  return tableOf(...others, ...filters.map((filter) => row('message.publish', 'on_message_publish', filter)))
}
const stackOf = (count: number) =>
  templateOf((app) => new MqttBackendStack(app, 'MqttBackend', { env: ENV, stackName: STACK_NAME, backend: { hookTable: sites(count) } }))

/** As CloudFormation fills it in: 12 digits of account, and names of its own with 13 letters and digits after the logical id. */
function filledIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filledIn)
  if (typeof value !== 'object' || value === null) return value
  const { Ref, 'Fn::GetAtt': got, 'Fn::Join': join } = value as Properties
  if (join !== undefined) return join[1].map(filledIn).join(join[0])
  if (Ref === 'AWS::AccountId') return '111122223333'
  if (Ref === 'AWS::Partition') return 'aws-us-gov'
  if (Ref !== undefined) return `${STACK_NAME}-${Ref}-1ABCDEFGHIJKL`
  if (got !== undefined) return `arn:aws-us-gov:dynamodb:${ENV.region}:111122223333:table/${STACK_NAME}-${got[0]}-1ABCDEFGHIJKL`
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one)]))
}
/** IAM does not count white space. */
const characters = (policy: unknown): number => JSON.stringify(filledIn(policy)).replaceAll(/\s/g, '').length

/** Levels of parentheses. */
const depthOf = (sql: string): number => {
  let [depth, most] = [0, 0]
  for (const char of sql.replaceAll(/'[^']*'/g, '')) {
    depth += char === '(' ? 1 : char === ')' ? -1 : 0
    most = Math.max(most, depth)
  }
  return most
}

const hundred = stackOf(100)
const rolesOf = (template: SynthesizedTemplate) => template.ofType('AWS::IAM::Role').map(([, { Properties }]) => Properties)
const rules = hundred.ofType('AWS::IoT::TopicRule').map(([, { Properties }]) => Properties)

describe('100 filters of the form plant/siteN/telemetry/#', () => {
  test('have 206 rules; an account may have 1,000', () => {
    expect(rules).toHaveLength(206)
    expect(new Set(rules.map(({ RuleName }) => RuleName)).size).toBe(206)
  })

  test('have trust policies of at most 2,048 characters, which do not grow with them', () => {
    const lengths = (count: number) =>
      rolesOf(count === 100 ? hundred : stackOf(count)).map((role) => characters(role.AssumeRolePolicyDocument))
    expect(Math.max(...lengths(100))).toBeLessThanOrEqual(2048)
    expect(lengths(100)).toEqual(lengths(1))
  })

  test('have inline policies of at most 10,240 characters a role', () => {
    for (const { Policies = [] } of rolesOf(hundred)) {
      const sum = Policies.reduce((total: number, { PolicyDocument }: Properties) => total + characters(PolicyDocument), 0)
      expect(sum).toBeLessThanOrEqual(10_240)
    }
  })

  test('have rules of at most 256 KB, flat SQL, and names that IoT Core takes', () => {
    for (const { RuleName, TopicRulePayload } of rules) {
      expect(RuleName).toMatch(/^\w{1,128}$/)
      expect(characters(TopicRulePayload)).toBeLessThanOrEqual(256_000)
      // AWS documents no limit of nesting: a call within a call, within the parentheses of one condition.
      expect(depthOf(TopicRulePayload.Sql)).toBeLessThanOrEqual(3)
    }
  })

  test('have a template that CloudFormation takes: 500 resources, 200 outputs, 1 MB', () => {
    expect(Object.keys(hundred.resources).length).toBeLessThanOrEqual(500)
    expect(Object.keys(hundred.outputs).length).toBeLessThanOrEqual(200)
    expect(JSON.stringify({ Resources: hundred.resources, Outputs: hundred.outputs }, null, 1).length).toBeLessThanOrEqual(1_000_000)
  })
})

test.each(Object.entries(OPTION_COMBINATIONS))('%s: what is no publish rule leaves room for 300 of them', (_, options) => {
  const most = templateOf(
    (app) =>
      new MqttBackendStack(app, 'MqttBackend', {
        env: { region: 'eu-west-1' },
        probe: true,
        backend: { hookTable: EVERY_HOOK, ...options },
      }),
  )
  const publishRules = Object.keys(most.resources).filter((id) => id.startsWith('MessagePublishRule'))
  expect(Object.keys(most.resources).length - publishRules.length).toBeLessThanOrEqual(200)
})

test('the largest rules that are accepted fit into a template of 1 MB', () => {
  const crossing = (count: number) =>
    Array.from({ length: count }, (_, i) => [`a${i}/+/${'x'.repeat(50)}`, `+/b${i}/${'x'.repeat(50)}`]).flat()
  const accepted = (count: number) => publishFaults(crossing(count), { acks: true, durablePrefix: '' }).length === 0
  const most = Array.from({ length: 100 }, (_, i) => i).findLast(accepted)!
  expect(most).toBeGreaterThan(40)
  const others = EVERY_HOOK.rows.filter(({ hook }) => hook !== 'message.publish')
  const table = tableOf(...others, ...crossing(most).map((filter) => row('message.publish', 'on_message_publish', filter)))
  const { resources, outputs } = backend(table, OPTION_COMBINATIONS['sized for much'])
  const bytes = Buffer.byteLength(JSON.stringify({ Resources: resources, Outputs: outputs }, null, 1))
  expect(bytes).toBeGreaterThan(850_000)
  expect(bytes).toBeLessThanOrEqual(1_000_000)
}, 60_000)

describe('the pattern of the rules that a role trusts', () => {
  const namesAndPattern = (stackName: string, id = 'Default') => {
    const template = templateOf((app) => {
      const stack = new Stack(app, 'Any', { env: ENV, stackName })
      new MqttBackend(stack, id, { hookTable: pageTable(), prefix: 'p-' })
      return stack
    })
    const trust = template.ofType('AWS::IAM::Role').find(([name]) => /RulesRole/.test(name))![1].Properties.AssumeRolePolicyDocument
    const pattern = String(filledIn(trust.Statement[0].Condition.ArnLike['aws:SourceArn'])).split(':rule/')[1]!
    return { pattern, names: template.ofType('AWS::IoT::TopicRule').map(([, { Properties }]) => String(Properties.RuleName)) }
  }

  test.each<[string, string, string | undefined]>([
    ['Shop', 'Shop_*', undefined],
    ['prod-shop', 'prodshop_*', undefined],
    ['Shop', 'Shop_*', 'Mqtt'],
    ['a'.repeat(128), `${'a'.repeat(48)}*`, 'A-construct-with-a-name-that-nobody-would-like-to-type-twice-and-more'],
  ])('stack %s: %s matches every name, construct id %s', (stackName, wanted, id) => {
    const { pattern, names } = namesAndPattern(stackName, id)
    expect(pattern).toBe(wanted)
    expect(names).toHaveLength(7)
    for (const name of names) expect(name.startsWith(pattern.slice(0, -1))).toBe(true)
  })

  test("does not match another stack's rules", () => {
    const { pattern } = namesAndPattern('Shop')
    for (const other of ['ShopTwo', 'My-Shop', 'Shop-Two'])
      for (const name of namesAndPattern(other).names) expect(name.startsWith(pattern.slice(0, -1))).toBe(false)
  })
})
