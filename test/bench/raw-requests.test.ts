/** The floor under a handler asks what the handler asked: as much at once, on other tables, with the same answers. */
import { BatchGetItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { Clients } from '../../bench/handlers.ts'
import { onTables, recorded, replay, requestsIn } from '../../bench/raw-requests.ts'

const put = (table: string, id: string) => new PutItemCommand({ TableName: table, Item: { id: { S: id } } })
const get = (table: string) => new GetItemCommand({ TableName: table, Key: { id: { S: 'a' } } })
const getAll = (table: string) => new BatchGetItemCommand({ RequestItems: { [table]: { Keys: [{ id: { S: 'a' } }] } } })

/** A client that notes when requests begin and end, and refuses those for the table `refusing`. */
function fakeClients() {
  const log: string[] = []
  const client = new DynamoDBClient({ region: 'us-west-2' })
  const send = async (command: { input: { TableName?: string; RequestItems?: object } }) => {
    const { input, constructor: of } = command
    const table = input.TableName ?? Object.keys(input.RequestItems ?? {})[0]
    log.push(`> ${of.name} ${table}`)
    await new Promise((resolve) => setImmediate(resolve))
    log.push(`< ${of.name} ${table}`)
    if (table?.startsWith('refusing')) throw Object.assign(new Error('no'), { name: 'ConditionalCheckFailedException' })
    return {}
  }
  return { log, clients: { dynamodb: Object.assign(client, { send }), iot: {} } as unknown as Clients }
}

async function somebodysWork({ dynamodb }: Clients): Promise<void> {
  await dynamodb.send(put('one', 'a'))
  await Promise.all([dynamodb.send(get('one')), dynamodb.send(getAll('two'))])
  await dynamodb.send(put('refusing', 'a')).catch(() => {})
}

it('asks the same in the same order, side by side where it was', async () => {
  const { log, clients } = fakeClients()
  const record = recorded(clients)
  await somebodysWork(record.clients)
  const asked = log.splice(0)
  const waves = record.take()
  expect(waves.map((requests) => requests.length)).toEqual([1, 2, 1])
  expect(requestsIn(waves)).toBe(4)
  await replay(clients, waves)
  expect(log).toEqual(asked)
  expect(record.take()).toEqual([])
})

it('asks on other tables', async () => {
  const { log, clients } = fakeClients()
  const record = recorded(clients)
  await somebodysWork(record.clients)
  log.length = 0
  await replay(
    clients,
    onTables(record.take(), (table) => `${table}-again`),
  )
  expect(log.filter((line) => line.startsWith('>'))).toEqual([
    '> PutItemCommand one-again',
    '> GetItemCommand one-again',
    '> BatchGetItemCommand two-again',
    '> PutItemCommand refusing-again',
  ])
})

it('refuses an answer of another kind than before', async () => {
  const { clients } = fakeClients()
  const record = recorded(clients)
  await somebodysWork(record.clients)
  const waves = record.take()
  const renamed = (from: string, to: string) => onTables(waves, (table) => (table === from ? to : table))
  await expect(replay(clients, renamed('refusing', 'taking'))).rejects.toThrow('wanted ConditionalCheckFailedException as before')
  await expect(replay(clients, renamed('one', 'refusing'))).rejects.toThrow('no')
})
