/** DynamoDB's time to live, which dynalite lacks: items whose TTL attribute (N, seconds since the epoch) has passed are deleted. */
import deleteItem from 'dynalite/actions/deleteItem.js'
import db, { type Item, type Store, type Table } from 'dynalite/db/index.js'
import { ApiError, type Operations } from './http.ts'

/** DynamoDB does not delete items that expired more than five years ago. */
const TOO_OLD_SECONDS = 5 * 365 * 86_400
/** Key of the settings in the store. No table can have this name. */
const SETTINGS = '#ttl'

/** A row that has an expiry: its primary key, and the expiry in seconds. */
interface Expiring {
  readonly key: Item
  readonly at: number
}

interface UpdateRequest {
  TableName?: string
  TimeToLiveSpecification?: { AttributeName?: string; Enabled?: boolean }
}

export class TimeToLive {
  private readonly store: Store
  /** Table -> its TTL attribute. */
  private readonly attributes: Map<string, string>
  /** Table -> dynalite's key of a row -> its expiry as last written. */
  private readonly expiring = new Map<string, Map<string, Expiring>>()

  private constructor(store: Store, attributes: Map<string, string>) {
    this.store = store
    this.attributes = attributes
  }

  /** Reads the settings and the rows' expiries from the store. */
  static async of(store: Store): Promise<TimeToLive> {
    const saved = await new Promise<unknown>((resolve) => store.getTagDb(SETTINGS).get('all', (_, value) => resolve(value)))
    const timeToLive = new TimeToLive(store, new Map(Object.entries((saved ?? {}) as Record<string, string>)))
    for (const table of timeToLive.attributes.keys()) await timeToLive.watch(await timeToLive.table(table))
    return timeToLive
  }

  readonly operations: Operations = {
    UpdateTimeToLive: async (request) => {
      const { TableName = '', TimeToLiveSpecification: wanted = {} } = request as UpdateRequest
      if (!wanted.AttributeName) throw validation("Value at 'timeToLiveSpecification.attributeName' must not be null or empty")
      const table = await this.table(TableName)
      if (wanted.Enabled === this.attributes.has(TableName)) {
        throw validation(`TimeToLive is already ${wanted.Enabled ? 'enabled' : 'disabled'}`)
      }
      if (wanted.Enabled) {
        this.attributes.set(TableName, wanted.AttributeName)
        await this.watch(table)
      } else this.unwatch(TableName)
      await this.save()
      return { TimeToLiveSpecification: wanted }
    },
    DescribeTimeToLive: async (request) => {
      const { TableName } = await this.table(`${(request as UpdateRequest).TableName}`)
      const AttributeName = this.attributes.get(TableName)
      return { TimeToLiveDescription: AttributeName ? { TimeToLiveStatus: 'ENABLED', AttributeName } : { TimeToLiveStatus: 'DISABLED' } }
    },
  }

  /** Removes the setting of a table that was deleted. */
  async forget(table: string): Promise<void> {
    if (!this.attributes.has(table)) return
    this.unwatch(table)
    await this.save()
  }

  /** Deletes the rows that have expired at this time (seconds since the epoch), unless their expiry was changed meanwhile. */
  async sweep(now: number): Promise<void> {
    for (const [table, rows] of this.expiring) {
      for (const [id, { key, at }] of rows) {
        if (at > now) continue
        rows.delete(id)
        if (at > now - TOO_OLD_SECONDS) await this.deleteExpired(table, key, now)
      }
    }
  }

  private deleteExpired(table: string, key: Item, now: number): Promise<void> {
    const attribute = this.attributes.get(table) ?? ''
    const expired = { [attribute]: { ComparisonOperator: 'LE', AttributeValueList: [{ N: `${now}` }] } }
    // Where the condition fails, the row is gone or has another expiry, which was noted when it was written.
    return new Promise((resolve) => deleteItem(this.store, { TableName: table, Key: key, Expected: expired }, () => resolve()))
  }

  /** Notes the expiry of each row in the table, and of each row that is written from now on. */
  private async watch(table: Table): Promise<void> {
    const name = table.TableName
    const rows = new Map<string, Expiring>()
    this.expiring.set(name, rows)
    const note = (id: string, item: Item) => {
      const at = item[this.attributes.get(name) ?? '']?.N
      if (at === undefined) rows.delete(id)
      else
        rows.set(id, {
          key: Object.fromEntries(table.KeySchema.map((part) => [part.AttributeName, item[part.AttributeName]!])),
          at: Number(at),
        })
    }
    const items = this.store.getItemDb(name)
    const put = items.put
    items.put = (id, item, done) => {
      if (this.expiring.get(name) === rows) note(id, item as Item)
      put(id, item, done)
    }
    for await (const item of items.createValueStream() as AsyncIterable<unknown>) note(db.createKey(item as Item, table), item as Item)
  }

  private unwatch(table: string): void {
    this.attributes.delete(table)
    this.expiring.delete(table)
  }

  private save(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.store.getTagDb(SETTINGS).put('all', Object.fromEntries(this.attributes), (error) => (error ? reject(error) : resolve()))
    })
  }

  private table(name: string): Promise<Table> {
    return new Promise((resolve, reject) => {
      this.store.getTable(name, false, (error, table) => (table ? resolve(table) : reject(error)))
    })
  }
}

const validation = (message: string) => new ApiError('com.amazon.coral.validate#ValidationException', message)
