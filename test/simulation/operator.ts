/** An operator who deletes, adds and writes again rows of mqtt_sub while their clients are connected. */
import { parseSubscription, topicMatches } from '../../lambda/core/topic.ts'
import type { ItemOperation, ItemRequest, MapDynamoDb } from './dynamodb.ts'
import type { Random } from './random.ts'
import type { SimClient } from './sim-client.ts'

interface OperatorRow {
  readonly clientid: string
  readonly filter: string
  /** Milliseconds: since when it stands; and the moment at which it was deleted, if it does not. */
  since: number
  deletedAt: number
  /** The connection in which it is live, as the command that added it has said. */
  liveIn?: string | undefined
}

const STANDS = Number.POSITIVE_INFINITY
/** What a backup may hold beside the row: nothing of it may be believed. */
const OF_A_BACKUP = { spill: { N: '3' }, session: { S: 'of a backup' }, since: { N: '1' } }

export class Operator {
  private readonly dynamodb: MapDynamoDb
  private readonly note: (line: string) => void
  private readonly rows: OperatorRow[] = []
  /** Keys of rows that were deleted some time. */
  private readonly deleted = new Set<string>()
  private moments = 0

  constructor(dynamodb: MapDynamoDb, note: (line: string) => void) {
    this.dynamodb = dynamodb
    this.note = note
  }

  /** Stands for now, finer than the clock. */
  moment(): number {
    return ++this.moments
  }

  add(clientid: string, filter: string, now: number): void {
    this.write(clientid, filter, {})
    this.rows.push({ clientid, filter, since: now, deletedAt: STANDS })
  }

  doSomething(random: Random, now: number): void {
    if (this.rows.length === 0) return
    const row = random.pick(this.rows)
    const { clientid, filter, deletedAt } = row
    if (deletedAt < STANDS) {
      this.write(clientid, filter, {})
      Object.assign(row, { since: now, deletedAt: STANDS })
      this.note(`the operator adds ${clientid} ${filter}`)
    } else if (random.chance(0.5)) {
      const Key = { clientid: { S: clientid }, topic: { S: filter } }
      this.dynamodb.perform('DeleteItem', { TableName: 'mqtt_sub', Key })
      row.deletedAt = this.moment()
      this.deleted.add(keyOf(row))
      this.note(`the operator deletes ${clientid} ${filter}`)
    } else {
      const backup = random.chance(0.5)
      this.write(clientid, filter, backup ? OF_A_BACKUP : {})
      this.note(`the operator writes ${clientid} ${filter} again${backup ? ', from a backup' : ''}`)
    }
  }

  /** A command's write took effect. */
  saw(operation: ItemOperation, { Item, Key }: ItemRequest, now: number): void {
    const key = Item ?? Key!
    const [clientid, filter] = [key.clientid!.S!, key.topic!.S!]
    const row = this.rowOf(clientid, filter)
    if (operation === 'DeleteItem' && row !== undefined) {
      Object.assign(row, { deletedAt: this.moment(), liveIn: undefined })
      this.deleted.add(keyOf(row))
    }
    if (operation !== 'PutItem') return
    if (row === undefined) this.rows.push({ clientid, filter, since: now, deletedAt: STANDS })
    else if (row.deletedAt < STANDS) Object.assign(row, { since: now, deletedAt: STANDS })
  }

  /** The command that added it has said that it is live now. */
  toldOf(clientid: string, filter: string, session: string): void {
    const row = this.rowOf(clientid, filter)
    if (row !== undefined && row.deletedAt === STANDS) row.liveIn = session
  }

  private rowOf(clientid: string, filter: string): OperatorRow | undefined {
    return this.rows.find((one) => one.clientid === clientid && one.filter === filter)
  }

  private write(clientid: string, filter: string, more: object): void {
    const Item = { clientid: { S: clientid }, topic: { S: filter }, qos: { N: '1' }, ...more }
    this.dynamodb.perform('PutItem', { TableName: 'mqtt_sub', Item })
  }

  /** I13: whether a row of the client for the topic stood at any time after the moment. */
  stoodAfter({ id }: SimClient, topic: string, moment: number): boolean {
    const rows = this.rows.filter(({ clientid, filter }) => clientid === id && topicMatches(parseSubscription(filter).filter, topic))
    return rows.some(({ deletedAt }) => deletedAt > moment)
  }

  /** Whether a connection must have a seat by the row: it stands since before the connection began, or its command has said that it is live in it. */
  isHeld({ id, connection }: SimClient, filter: string): boolean {
    const row = this.rowOf(id, filter)
    if (row === undefined || connection === undefined || row.deletedAt < STANDS) return false
    return row.liveIn === connection.session || row.since < connection.since
  }

  /** What a deleted row stood for ends with the next delivery: until then its seat may be of any connection. */
  wasDeleted(clientid: string, filter: string): boolean {
    return this.deleted.has(keyOf({ clientid, filter }))
  }
}

const keyOf = ({ clientid, filter }: Pick<OperatorRow, 'clientid' | 'filter'>): string => `${clientid} ${parseSubscription(filter).filter}`
