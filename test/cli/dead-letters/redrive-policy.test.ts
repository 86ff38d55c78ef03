/** I9: the policy in docs/operations.md, "Dead letters", is what a redrive calls, neither more nor less. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { queuesListed } from '../../../cli/dead-letters/backend-queues.ts'
import { redrive } from '../../../cli/dead-letters/redrive.ts'
import { queueUrls } from '../../../cli/dead-letters/sqs-queue.ts'
import { queueNamed, startSqs } from '../../support/sqs-server.ts'

interface Statement {
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
}

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'operations.md'), 'utf8')
const [, chapter] = /\n## Dead letters\n([\s\S]*?)\n## /.exec(PAGE)!
const [, policy] = /```json\n(\{ "Version": "2012-10-17"[\s\S]+?)```/.exec(chapter!)!
const { Statement: statements } = JSON.parse(policy!) as { Statement: Statement[] }

/** `action resource` of all that the policy allows. */
const allowed = statements.flatMap(({ Action, Resource }) =>
  [Action].flat().flatMap((action) => [Resource].flat().map((of) => `${action} ${of}`)),
)

const isLike = (pattern: string, arn: string) =>
  new RegExp(`^${pattern.replaceAll('*', '.*').replace('REGION', '[^:]+').replace('ACCOUNT', '[^:]+')}$`).test(arn)

test('each call is allowed on its queue, each grant is used', async () => {
  const named = (name: string) => queueNamed(`MqttBackend-${name}-AbCdEf123456`)
  const dead = named('MessagePublishQueueDeadLettersE49CACAD')
  const errors = named('RulesErrorsF50A25A6')
  const server = await startSqs([named('MessagePublishQueueEventsEA10D4A6'), dead, errors])
  const called = new Set<string>()
  server.client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { QueueUrl = '*' } = args.input as { QueueUrl?: string }
        const action = String(commandName).replace(/(Batch)?Command$/, '')
        called.add(`sqs:${action} ${QueueUrl === '*' ? '*' : `arn:aws:sqs:us-west-2:000000000000:${QueueUrl.split('/').at(-1)}`}`)
        return next(args)
      },
    { step: 'initialize' },
  )
  const publish = { topic: 't', clientid: 'c', timestamp: 1, uuid: '7e146a2c-95b5-6caf-98b9-50e3969734c7' }
  const error = { ruleName: 'MqttBackend_MessagePublish_Rule_1', topic: 't', clientId: 'c', base64OriginalPayload: '' }
  for (const body of [publish, {}]) dead.send(JSON.stringify(body))
  for (const body of [error, {}]) errors.send(JSON.stringify(body))
  try {
    await redrive(server.client, queuesListed(await queueUrls(server.client, 'MqttBackend-'), 'MqttBackend'))
  } finally {
    await server.close()
  }
  const grants = (call: string) => allowed.filter((grant) => isLike(grant, call))
  expect([...called].filter((call) => grants(call).length === 0)).toEqual([])
  expect(allowed.filter((grant) => ![...called].some((call) => isLike(grant, call)))).toEqual([])
})
