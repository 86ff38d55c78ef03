/** Which topics have a retained message that filters match: keys only, page by page, so nothing holds more than a page of them. */
import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import type { RetainPage, RetainPlace } from '../../core/model/retain-table.ts'
import { RETAIN_INDEX } from '../../core/tables.ts'
import { coveringFilter, firstLevel, topicMatches } from '../../core/topic.ts'
import { type Item, S, text } from './attributes.ts'
import type { Database } from './dynamodb.ts'

interface Page {
  readonly topics: readonly string[]
  /** Of the last topic that was read; absent: there are no more. */
  readonly last?: string | undefined
}
/** The filters that one chain of requests looks for, and its next page. */
interface Part {
  readonly filters: readonly string[]
  page(after: string | undefined): Promise<Page>
}

/** A filter whose first level is known is a query of the index; all others share one scan. Each topic comes once. */
export async function* topicsMatching(db: Database, filters: readonly string[], from?: RetainPlace): AsyncGenerator<RetainPage> {
  const parts = partsOf(db, filters)
  for (const [part, { filters, page }] of parts.entries()) {
    if (part < (from?.part ?? 0)) continue
    const earlier = parts.slice(0, part).flatMap((one) => one.filters)
    let after = from?.part === part ? from.topic || undefined : undefined
    do {
      const { topics, last } = await page(after)
      const found = topics.filter(
        (topic) => filters.some((filter) => topicMatches(filter, topic)) && !earlier.some((filter) => topicMatches(filter, topic)),
      )
      yield { topics: found, part, last }
      after = last
    } while (after !== undefined)
  }
}

function partsOf(db: Database, filters: readonly string[]): Part[] {
  const indexed = (filter: string) => db.retainIndex !== undefined && !['#', '+'].includes(rootOf(filter))
  const scanned = filters.filter((filter) => !indexed(filter))
  const queries = filters.filter(indexed).map((filter): Part => ({ filters: [filter], page: (after) => queried(db, filter, after) }))
  return scanned.length === 0 ? queries : [...queries, { filters: scanned, page: (after) => scannedPage(db, after) }]
}

async function queried(db: Database, filter: string, after: string | undefined): Promise<Page> {
  // With its slash, so that `plant/1` finds none of `plant/10`; the topic without it comes first.
  const prefix = coveringFilter(filter).slice(0, -'#'.length)
  const root = S(rootOf(filter))
  const query = new QueryCommand({
    TableName: db.tables.mqtt_retain,
    IndexName: db.retainIndex,
    KeyConditionExpression: `${RETAIN_INDEX.hashKey} = :root AND begins_with(${RETAIN_INDEX.rangeKey}, :prefix)`,
    ExpressionAttributeValues: { ':root': root, ':prefix': S(prefix) },
    // A start key outside of the prefix is refused.
    ...(after?.startsWith(prefix) && { ExclusiveStartKey: { [RETAIN_INDEX.hashKey]: root, [RETAIN_INDEX.rangeKey]: S(after) } }),
  })
  const page = pageOf(await db.client.send(query))
  const parent = prefix.slice(0, -'/'.length)
  return after === undefined && parent !== '' ? { ...page, topics: [parent, ...page.topics] } : page
}

async function scannedPage(db: Database, after: string | undefined): Promise<Page> {
  const scan = new ScanCommand({
    TableName: db.tables.mqtt_retain,
    ProjectionExpression: 'topic',
    ...(after !== undefined && { ExclusiveStartKey: { topic: S(after) } }),
  })
  return pageOf(await db.client.send(scan))
}

const pageOf = ({ Items = [], LastEvaluatedKey }: { Items?: Item[] | undefined; LastEvaluatedKey?: Item | undefined }): Page => ({
  topics: Items.map((item) => text(item.topic) ?? ''),
  last: text(LastEvaluatedKey?.topic),
})

/** The first level, as a key of the index. That of `/a` is empty, which no key may be: it is written as `/`, which no level is. */
export const rootOf = (topic: string): string => firstLevel(topic) || '/'
