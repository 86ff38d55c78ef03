/**
 * DynamoDB for `npm run test:fast`: the simulation's rows in Maps, behind the real SDK client. It starts nothing and bills nothing, and
 * knows what our stores ask of DynamoDB; test/simulation/dynamodb.test.ts compares it with the engines.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { MapDatabase } from '../faults/database.ts'
import { type Answer, failure, jsonOf, success } from '../faults/http.ts'
import { clientOf } from '../faults/wire.ts'

type Input = Record<string, unknown>
type ByTable = Record<string, unknown>

export function mapsClient(): DynamoDBClient {
  // Tables of several prefixes stand side by side.
  const databases = new Map<string, MapDatabase>()
  async function perform(operation: string, input: Input): Promise<Answer> {
    const prefix = prefixOf(input)
    if (operation === 'CreateTable') databases.set(prefix, databases.get(prefix) ?? new MapDatabase())
    if (operation === 'CreateTable') return success({})
    const database = databases.get(prefix)
    if (database === undefined) return failure('ResourceNotFoundException', 400)
    const answer = await database.perform(
      operation,
      withTables(input, (name) => name.slice(prefix.length)),
    )
    return operation === 'BatchGetItem' ? answerWithTables(answer, (name) => `${prefix}${name}`) : answer
  }
  // As clientFor: no second try that hides a failure; and tests add middleware.
  return clientOf({ perform }, { maxAttempts: 1, cacheMiddleware: false })
}

function prefixOf({ TableName, RequestItems }: Input): string {
  const name = (TableName as string | undefined) ?? Object.keys(RequestItems as ByTable)[0]!
  const ours = TABLE_NAMES.find((table) => name.endsWith(table)) ?? ''
  return name.slice(0, name.length - ours.length)
}

const renamed = (byTable: ByTable, named: (name: string) => string): ByTable =>
  Object.fromEntries(Object.entries(byTable).map(([name, value]) => [named(name), value]))

const withTables = ({ TableName, RequestItems, ...input }: Input, named: (name: string) => string): Input => ({
  ...input,
  ...(TableName !== undefined && { TableName: named(TableName as string) }),
  ...(RequestItems !== undefined && { RequestItems: renamed(RequestItems as ByTable, named) }),
})

function answerWithTables(answer: Answer, named: (name: string) => string): Answer {
  const { Responses } = jsonOf(answer)
  return success({ Responses: renamed(Responses as ByTable, named), UnprocessedKeys: {} })
}
