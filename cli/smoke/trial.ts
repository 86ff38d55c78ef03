/** One trial of a deployed stack: reach it, play the demo, ask the questions, remove what was made. */
import { GetRetainedMessageCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { BackendError } from '../../lambda/core/errors.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { queuesListed } from '../dead-letters/backend-queues.ts'
import { localCredentials, refusalOf, sqsClient } from '../dead-letters/sqs-client.ts'
import { queueUrls, SqsQueue } from '../dead-letters/sqs-queue.ts'
import { Stage } from '../demo/demo-stage.ts'
import { STEPS } from '../demo/page-steps.ts'
import { SmokeGround } from './aws-ground.ts'
import { cleanUp } from './cleanup.ts'
import { witnessOf } from './lifecycle-witness.ts'
import { type PlacedCommand, placesOf, type SmokeCommand } from './places.ts'
import { askProbe } from './probe-answers.ts'
import { type Answer, answersOf, WITNESSED } from './questions.ts'

export interface Trial {
  readonly held: number
  readonly checked: number
  readonly answers: readonly Answer[]
}

/** @throws BackendError with one line if the stack cannot be reached. What the run has made is removed as far as possible. */
export async function trial(given: SmokeCommand, run: string, say: (text: string) => void): Promise<Trial> {
  const command = await placesOf(given)
  const ground = new SmokeGround(command, run)
  const stage = new Stage(ground, say)
  const iot = dataPlane(command)
  const isRetained = retainedOn(iot)
  try {
    await reach(command, ground, isRetained)
    const failuresBefore = await failures(command)
    let answers: Answer[]
    try {
      for (const step of STEPS) await step(stage)
      stage.title('Questions that only this stack can answer')
      answers = await answersOf({ stage, isRetained, witness: await witnessOf(stage, WITNESSED) })
      answers = [...answers, ...(await askProbe(command, stage, run))]
    } finally {
      stage.title('Clean up')
      say(`${await cleanUp(stage, ground, isRetained)} rows removed\n`)
    }
    const failed = (await failures(command)) - failuresBefore
    stage.check(`no dead letter and no rule error came (${failed})`, failed <= 0)
    return { held: stage.held, checked: stage.checked, answers }
  } finally {
    await stage.close()
    ground.database.destroy()
    iot.destroy()
  }
}

/** Asks each service once, before anything is written. */
async function reach(command: PlacedCommand, ground: SmokeGround, isRetained: (topic: string) => Promise<boolean>): Promise<void> {
  ground.clientName('mqttjs_384b9c73a9')
  ground.topicName('test')
  for (const table of TABLE_NAMES.filter((name) => name !== 'mqtt_msg'))
    await told(() => ground.rows(table), { endpoint: command.dynamodb, region: command.region }, `DynamoDB (${ground.tableName(table)})`)
  await told(() => isRetained(ground.topicName('test')), { endpoint: command.data, region: command.region }, 'The IoT data plane')
  const client = await ground.connect(ground.clientName('reach'), { reconnectPeriod: 0 })
  await client.endAsync()
}

async function told<T>(work: () => Promise<T>, where: Parameters<typeof refusalOf>[1], service: string): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const said = refusalOf(error, where, service)
    if (said === undefined) throw error
    throw new BackendError('unreachable', said)
  }
}

function dataPlane({ data, region }: PlacedCommand): IoTDataPlaneClient {
  const requestHandler = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true }
  return new IoTDataPlaneClient({ region, endpoint: data, ...localCredentials(data), requestHandler })
}

const retainedOn = (iot: IoTDataPlaneClient) => async (topic: string) => {
  try {
    await iot.send(new GetRetainedMessageCommand({ topic }))
    return true
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404) return false
    throw error
  }
}

/** The number of dead letters and rule errors of the stack. */
async function failures({ sqs, region, stack }: PlacedCommand): Promise<number> {
  const where = { endpoint: sqs, region }
  const client = sqsClient(where)
  try {
    return await told(
      async () => {
        const queues = queuesListed(await queueUrls(client, `${stack}-`), stack)
        const urls = [
          ...[...queues.hooks.values()].map(({ deadLetters }) => deadLetters),
          ...(queues.ruleErrors ? [queues.ruleErrors] : []),
        ]
        const counts = await Promise.all(urls.map((url) => new SqsQueue(client, url).counts()))
        return counts.reduce((sum, { visible, invisible }) => sum + visible + invisible, 0)
      },
      where,
      'SQS',
    )
  } finally {
    client.destroy()
  }
}
