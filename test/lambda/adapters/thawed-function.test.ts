/**
 * After a freeze: the services have given up the connections that the function keeps, and the first events are handled all the same (I1).
 *
 * @slow
 */
import { randomUUID } from 'node:crypto'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { DATA_ENDPOINT_VARIABLE } from '../../../lambda/core/tables.ts'
import { startEmbedded } from '../../../local/dynamodb/embedded.ts'
import type { DynamoDbEngine } from '../../../local/dynamodb/engine.ts'
import { clientFor, createTables } from '../../support/engines.ts'
import { type ForgetfulServer, type GivenUp, startForgetful } from '../../support/forgetful-server.ts'
import { type FreezableFunction, startFunction } from '../../support/freezable-function.ts'

let engine: DynamoDbEngine
let tables: DynamoDBClient
let dynamodb: ForgetfulServer
let dataPlane: ForgetfulServer
let publishes: FreezableFunction

beforeAll(async () => {
  engine = await startEmbedded({ host: '127.0.0.1', port: 0 })
  tables = clientFor(engine.url)
  await createTables({ client: tables }, '')
})
afterAll(async () => {
  tables.destroy()
  await engine.close()
})

beforeEach(async () => {
  dynamodb = await startForgetful(passOn)
  dataPlane = await startForgetful(answerDataPlane)
  publishes = await startFunction('message.publish', {
    AWS_REGION: 'us-west-2',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    [DATA_ENDPOINT_VARIABLE]: dataPlane.url,
  })
})
afterEach(async () => {
  await publishes.close()
  await Promise.all([dynamodb.close(), dataPlane.close()])
})

function passOn(asked: IncomingMessage, response: ServerResponse): void {
  const { method = 'POST', headers } = asked
  const passed = request(engine.url, { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(response)
  })
  asked.pipe(passed)
}

/** Nothing is retained, and every client acknowledges at once. */
function answerDataPlane(asked: IncomingMessage, response: ServerResponse): void {
  const [status, type] = asked.method === 'GET' ? [404, 'ResourceNotFoundException'] : [200, '']
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type }).end('{}')
}

const publish = (topic = `t/${randomUUID()}`) => ({
  topic,
  clientid: 'sender',
  timestamp: Date.now(),
  traceid: randomUUID(),
  payload: Buffer.from('hello').toString('base64'),
})
const publishesOf = (count: number) => Array.from({ length: count }, () => publish())

async function isStored({ topic }: { topic: string }): Promise<boolean> {
  const { Item } = await tables.send(
    new GetItemCommand({ TableName: 'mqtt_topic_msg_map', Key: { topic: { S: topic } }, ConsistentRead: true }),
  )
  return Item?.MsgId?.SS?.length === 1
}

/** Lambda thaws a function when it has an event for it. */
async function handleThawed(how: GivenUp, events: readonly object[]): Promise<string[]> {
  await publishes.freeze()
  dynamodb.giveUp(how)
  dataPlane.giveUp(how)
  const failed = publishes.handle(events)
  publishes.thaw()
  return await failed
}

describe.each<GivenUp>(['ended', 'reset', 'reset at its next request'])('every kept connection is %s', (how) => {
  it.each([
    ['one publish after one', 1, 1],
    ['one publish after ten at once', 10, 1],
    ['ten publishes at once after ten', 10, 10],
  ])('%s: stored in that invocation', async (_name, before, after) => {
    expect(await publishes.handle(publishesOf(before))).toEqual([])
    const events = publishesOf(after)
    const failed = await handleThawed(how, events)
    expect({ failed, printed: failed.length > 0 ? publishes.printed : [] }).toEqual({ failed: [], printed: [] })
    expect(await Promise.all(events.map(isStored))).toEqual(events.map(() => true))
  })
})
