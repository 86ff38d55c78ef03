/** A DynamoDBClient whose every call waits for its turn and may go wrong: throttled, its answer lost, keys unprocessed. */
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  ProvisionedThroughputExceededException,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { TABLES, type TableName } from '../../lambda/core/tables.ts'
import { ConditionFailed, type ItemAnswer, type ItemOperation, type ItemRequest, type MapDynamoDb } from './dynamodb.ts'
import type { Faults } from './faults.ts'
import { copy, type Row } from './rows.ts'
import type { Owner, Scheduler } from './scheduler.ts'

export interface DatabaseWorld {
  readonly scheduler: Scheduler
  readonly dynamodb: MapDynamoDb
  readonly faults: Faults
  /** Every operation that took effect, as it did. */
  readonly observe?: ((owner: Owner, operation: ItemOperation, request: ItemRequest, answer: ItemAnswer | undefined) => void) | undefined
}

const ITEM_OPERATIONS = new Map<unknown, ItemOperation>([
  [GetItemCommand, 'GetItem'],
  [PutItemCommand, 'PutItem'],
  [UpdateItemCommand, 'UpdateItem'],
  [DeleteItemCommand, 'DeleteItem'],
])

interface Command {
  readonly input: Record<string, unknown>
}

export function clientOf(world: DatabaseWorld, owner: Owner): DynamoDBClient {
  const calls = new Calls(world, owner)
  // The paginators want an instance; nothing of it is used but `send`.
  return Object.assign(Object.create(DynamoDBClient.prototype), { send: (command: Command) => calls.send(command) })
}

class Calls {
  private readonly world: DatabaseWorld
  private readonly owner: Owner
  constructor(world: DatabaseWorld, owner: Owner) {
    this.world = world
    this.owner = owner
  }

  async send(command: Command): Promise<object> {
    const item = ITEM_OPERATIONS.get(command.constructor)
    if (item !== undefined) return this.faulty(async () => this.perform(item, command.input as unknown as ItemRequest))
    if (command instanceof BatchGetItemCommand) return this.faulty(() => this.batchGet(command.input))
    if (command instanceof BatchWriteItemCommand) return this.faulty(() => this.batchWrite(command.input))
    if (command instanceof QueryCommand) return this.faulty(async () => this.query(command.input))
    if (command instanceof ScanCommand) return this.faulty(async () => this.scan(command.input))
    throw new Error(`${command.constructor.name} is not simulated`)
  }

  private async faulty(call: () => Promise<object>): Promise<object> {
    const { scheduler, faults } = this.world
    await scheduler.turn(this.owner)
    if (faults.happens('throttled')) throw new ProvisionedThroughputExceededException({ message: 'throttled', $metadata: {} })
    const repeated = faults.happens('repeated')
    const lost = faults.happens('reply-lost')
    if (repeated || lost) {
      const first = await call().then(
        (answer) => () => answer,
        (error) => () => {
          throw error
        },
      )
      await scheduler.turn(this.owner)
      if (lost) throw Object.assign(new Error('no answer in 3000 ms'), { name: 'TimeoutError' })
      void first
    }
    return call()
  }

  private perform(operation: ItemOperation, request: ItemRequest): ItemAnswer {
    try {
      const answer = this.world.dynamodb.perform(operation, request)
      this.world.observe?.(this.owner, operation, request, answer)
      return answer
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      this.world.observe?.(this.owner, operation, request, undefined)
      throw new ConditionalCheckFailedException({ message: error.message, $metadata: {}, ...(error.row && { Item: error.row }) })
    }
  }

  /** Not one atomic step: other writes fall between its reads, and it answers in any order. */
  private async batchGet(input: Record<string, unknown>): Promise<object> {
    const [[table, asked]] = Object.entries(input.RequestItems as Record<string, { Keys: Row[] }>) as [[string, { Keys: Row[] }]]
    const { Keys, ...how } = asked
    const { random } = this.world.scheduler
    const [now, later] = this.some(Keys)
    const items: Row[] = []
    for (const Key of now) {
      const { Item } = this.perform('GetItem', { TableName: table, Key, ...how })
      if (Item !== undefined) items.push(Item)
      if (random.chance(0.1)) await this.world.scheduler.turn(this.owner)
    }
    return { Responses: { [table]: items }, UnprocessedKeys: later.length === 0 ? {} : { [table]: { Keys: later, ...how } } }
  }

  private async batchWrite(input: Record<string, unknown>): Promise<object> {
    type Write = { DeleteRequest: { Key: Row } } | { PutRequest: { Item: Row } }
    const [[table, writes]] = Object.entries(input.RequestItems as Record<string, Write[]>) as [[string, Write[]]]
    const { random } = this.world.scheduler
    const [now, later] = this.some(writes)
    for (const write of now) {
      if ('PutRequest' in write) this.perform('PutItem', { TableName: table, ...write.PutRequest })
      else this.perform('DeleteItem', { TableName: table, ...write.DeleteRequest })
      if (random.chance(0.1)) await this.world.scheduler.turn(this.owner)
    }
    return { UnprocessedItems: later.length === 0 ? {} : { [table]: later } }
  }

  private some<T>(all: readonly T[]): [now: T[], later: T[]] {
    const { random } = this.world.scheduler
    const mixed = random.shuffled(all)
    const processed = this.world.faults.happens('unprocessed') ? random.below(all.length) : all.length
    return [mixed.slice(0, processed), mixed.slice(processed)]
  }

  /** All rows of a hash key: the stores ask for nothing else. */
  private query(input: Record<string, unknown>): object {
    const table = input.TableName as TableName
    const { hashKey } = TABLES[table]
    const values = input.ExpressionAttributeValues as Record<string, AttributeValue>
    if (input.KeyConditionExpression !== `${hashKey} = :${hashKey}`) throw new Error(`${input.KeyConditionExpression} is not simulated`)
    const hash = values[`:${hashKey}`]?.S
    return {
      Items: this.world.dynamodb
        .rows(table)
        .filter((row) => row[hashKey]?.S === hash)
        .map(copy),
    }
  }

  private scan({ TableName }: Record<string, unknown>): object {
    return { Items: this.world.dynamodb.rows(TableName as TableName).map(copy) }
  }
}
