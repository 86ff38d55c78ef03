/**
 * I1 while a deployment changes filters. CloudFormation creates and updates resources in any order that their dependencies allow, and
 * deletes resources last: at each moment a rule that its role trusts must take a publish that both confs store.
 */
import fc from 'fast-check'
import type { HookTable } from '../../../lambda/core/hooks.ts'
import { topicMatches } from '../../../lambda/core/topic.ts'
import { compileRule, type Rule } from '../../../local/rules/rule-evaluator.ts'
import { backend, type Resource, row, type SynthesizedTemplate, tableOf } from '../../support/synthesized.ts'

const RULE = 'AWS::IoT::TopicRule'
const ACKED = row('message.acked', 'on_message_acked_for_queue', '#')
const publishes = (...filters: string[]): HookTable => tableOf(...filters.map((each) => row('message.publish', 'on_message_publish', each)))
const withAcks = (table: HookTable): HookTable => tableOf(...table.rows, ACKED)
const OPTIONS = { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' }

type Resources = Record<string, Resource & { readonly DependsOn?: readonly string[] }>

/** Logical ids that must be done before this resource. */
const needs = ({ DependsOn = [], Properties }: Resources[string]): string[] => {
  const references = [...JSON.stringify(Properties).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)].map(([, id]) => id!)
  return [...DependsOn, ...references]
}

/** The stack after each step of the deployment from `old` to `next`; of what may come next, `pick` chooses. */
function* steps(old: Resources, next: Resources, pick: (ids: readonly string[]) => string): Generator<Resources> {
  const state: Resources = { ...old }
  const waiting = new Set(Object.keys(next))
  while (waiting.size > 0) {
    const id = pick([...waiting].filter((each) => needs(next[each]!).every((other) => !waiting.has(other))))
    state[id] = next[id]!
    waiting.delete(id)
    yield state
  }
  for (const id of Object.keys(old).filter((each) => !(each in next))) {
    delete state[id]
    yield state
  }
}

const compiled = new Map<string, Rule>()
const compile = (sql: string): Rule => {
  const rule = compiled.get(sql) ?? compileRule(sql)
  compiled.set(sql, rule)
  return rule
}
const takers = (state: Resources, topic: string): Resource[] =>
  Object.values(state).filter(({ Type, Properties }) => {
    const message = { topic, clientid: 'c', payload: Buffer.alloc(0), at: 0, uuid: '' }
    return Type === RULE && compile(Properties.TopicRulePayload.Sql).evaluate(message) !== undefined
  })

/** Whether the rule's role, as it is at this moment, lets the rule assume it and send to the rule's queue. */
function maySend(state: Resources, { Properties: { RuleName, TopicRulePayload } }: Resource): boolean {
  const [{ Sqs }] = TopicRulePayload.Actions
  const role = state[Sqs.RoleArn['Fn::GetAtt'][0]]?.Properties
  const pattern: string = role?.AssumeRolePolicyDocument.Statement[0].Condition.ArnLike['aws:SourceArn']['Fn::Join'][1].at(-1)
  const trusted = RuleName.startsWith(/rule\/(\w+)\*$/.exec(pattern)![1]!)
  const queues = [role?.Policies[0].PolicyDocument.Statement[0].Resource].flat().map((arn) => arn['Fn::GetAtt'][0])
  return trusted && queues.includes(Sqs.QueueUrl.Ref)
}

const isPublish = ({ rows }: HookTable, topic: string): boolean =>
  !topic.startsWith('$') &&
  !(rows.includes(ACKED) && topic.startsWith('acked/')) &&
  rows.some((each) => each !== ACKED && topicMatches(each.topic ?? '#', topic))

const synthesized = new Map<string, SynthesizedTemplate>()
const templateOf = (table: HookTable): Resources => {
  const key = JSON.stringify(table)
  const template = synthesized.get(key) ?? backend(table, OPTIONS)
  synthesized.set(key, template)
  return template.resources
}

const TOPICS = ['a', 'a/b', 'a/b/c', 'b', 'b/c', 'c/b', 'acked/b', 'acked/c', 'a/x', 'x/y/z']
const CONFS = [
  publishes('#'),
  withAcks(publishes('#')),
  publishes('a/+'),
  publishes('a/+', '+/b'),
  withAcks(publishes('+/b', 'a/#')),
  publishes('a/b', '+/b/#', 'a/+/c'),
  withAcks(publishes('+/+', 'a/b/#', 'b')),
  publishes('a/#', 'b/#', '+/c'),
]

test('every publish that both confs store is taken by a trusted rule at each moment, whatever order CloudFormation picks (I1)', () => {
  const conf = fc.constantFrom(...CONFS)
  fc.assert(
    fc.property(conf, conf, fc.infiniteStream(fc.nat()), (before, after, picks) => {
      const common = TOPICS.filter((topic) => isPublish(before, topic) && isPublish(after, topic))
      const pick = (ids: readonly string[]) => {
        // Rules as early as they may come: nothing else waits for them.
        const rules = ids.filter((id) => templateOf(after)[id]!.Type === RULE)
        const from = rules.length > 0 ? rules : ids
        return from[picks.next().value! % from.length]!
      }
      for (const state of steps(templateOf(before), templateOf(after), pick))
        for (const topic of common) {
          const trusted = takers(state, topic).filter((rule) => maySend(state, rule))
          expect([topic, trusted.length > 0]).toEqual([topic, true])
        }
    }),
    { numRuns: 100 },
  )
})

test('changed filters change no role', () => {
  const roles = (table: HookTable) =>
    Object.entries(templateOf(table)).filter(([id, { Type }]) => Type === 'AWS::IAM::Role' && id.startsWith('Rules'))
  const [wide, narrow] = [CONFS[0]!, CONFS[7]!]
  expect(roles(wide)).toHaveLength(2)
  expect(roles(narrow)).toEqual(roles(wide))
})

test('no rule is made before the function that handles its events, and its roles', () => {
  const resources = templateOf(CONFS[6]!)
  const before = (id: string): string[] => needs(resources[id]!).flatMap((each) => (each in resources ? [each, ...before(each)] : []))
  for (const [id, { Type }] of Object.entries(resources)) {
    if (Type !== RULE) continue
    const types = before(id).map((each) => `${resources[each]!.Type} ${each.replace(/[0-9A-F]{8}$/, '')}`)
    const hook = /^(?:MessagePublish|MessageAcked)/.exec(id)![0]
    for (const wanted of [
      'IAM::Role RulesRole',
      'IAM::Role RulesErrorsRole',
      `Lambda::Function ${hook}Function`,
      `Lambda::EventSourceMapping ${hook}Source`,
    ])
      expect(types).toContain(`AWS::${wanted}`)
  }
})
