import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  ScanCommand,
  TransactGetItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { type EmbeddedOptions, startEmbedded } from '../../../local/dynamodb/embedded.ts'
import type { DynamoDbEngine } from '../../../local/dynamodb/engine.ts'
import { clientFor } from '../../support/engines.ts'

const SIGNED = 'AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/dynamodb/aws4_request, SignedHeaders=host, Signature=0'

let engine: DynamoDbEngine
let client: DynamoDBClient

async function start(options: Partial<EmbeddedOptions> = {}): Promise<void> {
  engine = await startEmbedded({ host: '127.0.0.1', port: 0, ...options })
  client = clientFor(engine.url)
}
async function stop(): Promise<void> {
  client.destroy()
  await engine.close()
}
afterEach(stop)

const createRows = (TableName = 'rows') =>
  client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  )
const put = (id: string, more: Record<string, { S: string } | { N: string }> = {}) =>
  client.send(new PutItemCommand({ TableName: 'rows', Item: { id: { S: id }, ...more } }))
const get = async (id: string) => (await client.send(new GetItemCommand({ TableName: 'rows', Key: { id: { S: id } } }))).Item
const idsLeft = async () => (await client.send(new ScanCommand({ TableName: 'rows' }))).Items?.map((item) => item.id?.S).sort()
const post = (operation: string, body: string, headers: Record<string, string> = { authorization: SIGNED }) =>
  fetch(engine.url, { method: 'POST', headers: { 'x-amz-target': `DynamoDB_20120810.${operation}`, ...headers }, body })

describe.each([
  ['in this thread', false],
  ['in a worker thread', true],
])('%s', (_, inWorker) => {
  it('serves one set of tables to every region and key', async () => {
    await start({ inWorker })
    await createRows()
    const other = new DynamoDBClient({ endpoint: engine.url, region: 'eu-west-1', credentials: { accessKeyId: 'o', secretAccessKey: 'o' } })
    expect((await other.send(new ListTablesCommand({}))).TableNames).toEqual(['rows'])
    other.destroy()
  })

  it('closes within a second, with a client connected and a request half sent; twice is once', async () => {
    await start({ inWorker })
    await client.send(new ListTablesCommand({}))
    const { hostname, port } = new URL(engine.url)
    const half = connect(Number(port), hostname).on('error', () => {})
    half.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const began = Date.now()
    await Promise.all([engine.close(), engine.close()])
    expect(Date.now() - began).toBeLessThan(1_000)
    await expect(fetch(engine.url)).rejects.toThrow()
  })

  it('refuses a port that is taken, naming it', async () => {
    await start({ inWorker })
    const { port } = new URL(engine.url)
    const second = startEmbedded({ host: '127.0.0.1', port: Number(port), inWorker })
    await expect(second).rejects.toMatchObject({ code: 'DYNAMODB_LISTEN', message: expect.stringContaining(`127.0.0.1:${port}`) })
  })

  it('throttles the same share of item requests for the same seed, and nothing else', async () => {
    const pattern = async () => {
      await start({ inWorker, throttle: { rate: 0.5, seed: 7 } })
      await createRows()
      const answers: string[] = []
      for (let i = 0; i < 40; i++)
        answers.push(
          await put('a').then(
            () => 'ok',
            (error) => error.name,
          ),
        )
      return answers
    }
    const first = await pattern()
    expect(new Set(first)).toEqual(new Set(['ok', 'ProvisionedThroughputExceededException']))
    await stop()
    expect(await pattern()).toEqual(first)
  })

  it('keeps tables and rows in its directory', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'dynamodb-'))
    try {
      await start({ inWorker, dataDir })
      await createRows()
      await put('a')
      await stop()
      await start({ inWorker, dataDir })
      expect(await get('a')).toEqual({ id: { S: 'a' } })
      const second = startEmbedded({ host: '127.0.0.1', port: 0, dataDir, inWorker })
      await expect(second).rejects.toMatchObject({
        code: 'DYNAMODB_DATA',
        message: `DynamoDB cannot open its data in ${dataDir}: another run uses it`,
      })
    } finally {
      await stop()
      await rm(dataDir, { recursive: true })
    }
  })
})

describe('on the wire', () => {
  beforeEach(() => start())

  it('outlives clients that go away in the middle of a request or an answer', async () => {
    await createRows()
    const { hostname, port } = new URL(engine.url)
    for (const sent of [
      'POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\n{',
      'POST /',
      request('ListTables', '{}'),
      request('Scan', '{"TableName":"rows"}'),
    ]) {
      const socket = connect(Number(port), hostname).on('error', () => {})
      await once(socket, 'connect')
      socket.write(sent)
      socket.resetAndDestroy()
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await idsLeft()).toEqual([])
  })

  it('keeps the connection, and signs every body with its CRC32', async () => {
    const response = await post('ListTables', '{}')
    const body = await response.text()
    expect(response.headers.get('connection')).toBe('keep-alive')
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.0')
    expect(response.headers.get('x-amz-crc32')).toBe(`${crc32(body)}`)
    expect(JSON.parse(body)).toEqual({ TableNames: [] })
  })

  const REFUSALS: [what: string, operation: string, body: string, headers: Record<string, string>, status: number, type: string][] = [
    ['an unsigned request', 'ListTables', '{}', {}, 400, 'MissingAuthenticationTokenException'],
    ['half a signature', 'ListTables', '{}', { authorization: 'AWS4-HMAC-SHA256 Credential=x' }, 400, 'IncompleteSignatureException'],
    ['an operation it does not have', 'TransactWriteItems', '{}', { authorization: SIGNED }, 400, 'UnknownOperationException'],
    ['a name every object has', 'toString', '{}', { authorization: SIGNED }, 400, 'UnknownOperationException'],
    ['what is not JSON', 'ListTables', '{', { authorization: SIGNED }, 400, 'SerializationException'],
    ['what is not an object', 'ListTables', '[]', { authorization: SIGNED }, 400, 'SerializationException'],
    ['a wrong type', 'GetItem', '{"TableName":1}', { authorization: SIGNED }, 400, 'SerializationException'],
    ['a missing key', 'GetItem', '{"TableName":"rows"}', { authorization: SIGNED }, 400, 'ValidationException'],
  ]
  it.each(REFUSALS)('refuses %s', async (_, operation, body, headers, status, type) => {
    const response = await post(operation, body, headers)
    expect(response.status).toBe(status)
    expect(((await response.json()) as { __type: string }).__type).toMatch(new RegExp(`#${type}$`))
  })

  it('says of an operation that only it lacks which engine has it', async () => {
    const transaction = client.send(
      new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: 'rows', Key: { id: { S: 'x' } } } }] }),
    )
    await expect(transaction).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: 'the embedded DynamoDB does not have TransactGetItems; DynamoDB Local does: start with --dynamodb local',
    })
  })

  it('refuses a body of more than 16 MB, announced or not, and goes on', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024 + 1, 'x')
    const status = (sent: Promise<Response>) =>
      sent.then(
        (response) => response.status,
        () => 'cut off',
      )
    expect([413, 'cut off']).toContain(await status(post('PutItem', body.toString())))
    const unannounced = Readable.from(Array.from({ length: 17 }, () => body.subarray(0, 2 ** 20)))
    const streamed = fetch(engine.url, { method: 'POST', body: Readable.toWeb(unannounced), duplex: 'half' } as RequestInit)
    expect([413, 'cut off']).toContain(await status(streamed))
    expect((await post('ListTables', '{}')).status).toBe(200)
  })

  const request = (operation: string, body: string) =>
    `POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: DynamoDB_20120810.${operation}\r\nauthorization: ${SIGNED}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
})

describe('time to live', () => {
  const TimeToLiveSpecification = { AttributeName: 'expires_at', Enabled: true }
  const enable = (Enabled = true) =>
    client.send(new UpdateTimeToLiveCommand({ TableName: 'rows', TimeToLiveSpecification: { ...TimeToLiveSpecification, Enabled } }))
  const describeIt = async () => (await client.send(new DescribeTimeToLiveCommand({ TableName: 'rows' }))).TimeToLiveDescription
  const at = (seconds: number) => ({ expires_at: { N: `${Math.floor(Date.now() / 1_000) + seconds}` } })
  const afterASweep = () => new Promise((resolve) => setTimeout(resolve, 1_300))

  it('is off, on, remembered, and not switched twice', async () => {
    await start()
    await createRows()
    expect(await describeIt()).toEqual({ TimeToLiveStatus: 'DISABLED' })
    await enable()
    expect(await describeIt()).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires_at' })
    await expect(enable()).rejects.toMatchObject({ name: 'ValidationException' })
    await enable(false)
    expect(await describeIt()).toEqual({ TimeToLiveStatus: 'DISABLED' })
  })

  it('deletes what has expired, written before or after, and nothing else', async () => {
    await start()
    await createRows()
    await put('before', at(-10))
    await enable()
    await put('after', at(-10))
    await put('updated')
    await client.send(
      new UpdateItemCommand({
        TableName: 'rows',
        Key: { id: { S: 'updated' } },
        UpdateExpression: 'SET expires_at = :at',
        ExpressionAttributeValues: { ':at': at(-10).expires_at },
      }),
    )
    await put('later', at(100))
    await put('never')
    await put('a string', { expires_at: { S: '1' } })
    await put('more than five years ago', { expires_at: { N: '1' } })
    await put('prolonged', at(-10))
    await put('prolonged', at(100))
    await put('at rest', at(-10))
    await put('at rest')
    await afterASweep()
    expect(await idsLeft()).toEqual(['a string', 'at rest', 'later', 'more than five years ago', 'never', 'prolonged'])
  })

  it('goes with its table, and lasts in the directory', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'dynamodb-'))
    try {
      await start({ dataDir })
      await createRows()
      await enable()
      await put('a', at(1))
      await stop()
      await start({ dataDir })
      expect(await describeIt()).toMatchObject({ TimeToLiveStatus: 'ENABLED' })
      expect(await idsLeft()).toEqual(['a'])
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      await afterASweep()
      expect(await idsLeft()).toEqual([])
      await client.send(new DeleteTableCommand({ TableName: 'rows' }))
      await createRows()
      expect(await describeIt()).toEqual({ TimeToLiveStatus: 'DISABLED' })
    } finally {
      await stop()
      await rm(dataDir, { recursive: true })
    }
  })

  it('refuses a table that is not there', async () => {
    await start()
    await expect(enable()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await expect(describeIt()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('throttling', () => {
  it('asks a function of one’s own, once per request', async () => {
    let asked = 0
    await start({ throttle: () => ++asked === 2 })
    await createRows()
    await put('a')
    await expect(put('b')).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' })
    await put('c')
    expect(await idsLeft()).toEqual(['a', 'c'])
  })

  it('refuses a function in a worker thread', async () => {
    await start()
    const refused = startEmbedded({ host: '127.0.0.1', port: 0, inWorker: true, throttle: () => true })
    await expect(refused).rejects.toMatchObject({ code: 'DYNAMODB_THROTTLE' })
  })
})
