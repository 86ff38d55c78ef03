/** Roles, on an engine that checks every permission: with them each function handles an event of its hook, without them none does. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ListQueuesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { firstEvent } from '../../bench/cold-start-events.ts'
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'
import { pascalCase } from '../../lib/construct-ids.ts'
import { type Assembly, movedCopy, powerlessCopy, STACK } from './assemblies.ts'
import { ACCOUNT, REGION, startEngine } from './aws-engine.ts'
import { cdkMust } from './cdk-cli.ts'

const PATIENCE_MS = 30_000

/** What a function's log says of an event. */
interface Outcome {
  readonly messageId: string
  readonly outcome: 'done' | 'failed'
  readonly code?: string
}

/** @throws Error if a function may do too little, or the engine lets one do what it may not */
export async function tryRoles(python: string, { assembly, dataUrl }: { assembly: Assembly; dataUrl: string }): Promise<void> {
  const outcomes: Outcome[] = []
  const engine = await startEngine(python, { strict: true, onLine: (line) => void outcomes.push(...outcomeIn(line)) })
  const access = { endpoint: engine.url, region: REGION, credentials: engine.credentials }
  const dynamodb = new DynamoDBClient(access)
  const sqs = new SQSClient({ ...access, useQueueUrlAsEndpoint: false })
  const deploy = ({ directory }: Assembly) => cdkMust(engine, 'deploy', STACK, '--app', directory, '--require-approval', 'never')
  try {
    const whole = movedCopy(engine, assembly, { from: dataUrl, to: engine.url })
    await cdkMust(engine, 'bootstrap', `aws://${ACCOUNT}/${REGION}`, '--app', whole.directory)
    await deploy(powerlessCopy(engine, whole))
    for (const hook of HOOKS) {
      const { outcome, code } = await handled(hook)
      assert.equal(outcome, 'failed', hook)
      assert.match(`${code}`, /^(AccessDenied|Forbidden)Exception$/, hook)
    }
    await deploy(whole)
    for (const hook of HOOKS) {
      const { outcome, code, check } = await handled(hook)
      assert.deepEqual({ hook, outcome, code }, { hook, outcome: 'done', code: undefined })
      await check()
    }
  } finally {
    dynamodb.destroy()
    sqs.destroy()
    await engine.stop()
  }

  /** Sends an event to the hook's queue, and waits until its function says what became of it. */
  async function handled(hook: HookName): Promise<Outcome & { check(): Promise<void> }> {
    const { event, check } = await firstEvent(hook, dynamodb)
    const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: `${STACK}-${pascalCase(hook)}QueueEvents` }))
    const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl: QueueUrls[0], MessageBody: JSON.stringify(event) }))
    const until = Date.now() + PATIENCE_MS
    while (Date.now() < until) {
      const outcome = outcomes.find(({ messageId }) => messageId === MessageId)
      if (outcome !== undefined) return { ...outcome, check }
      await sleep(50)
    }
    throw new Error(`${hook}: its function said nothing`)
  }
}

/** Functions log a line of JSON for each event. */
function outcomeIn(line: string): Outcome[] {
  if (!line.startsWith('{"level"')) return []
  const said = JSON.parse(line) as Outcome
  return said.messageId === undefined ? [] : [said]
}
