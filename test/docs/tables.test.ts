/** docs/tables.md names every attribute that the handlers write, and none that they do not. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { PAGE_ROWS, type Row, World } from '../support/world.ts'

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'tables.md'), 'utf8')
const chapterOf = (table: TableName): string => PAGE.split(`\n## ${table}\n`)[1]!.split('\n## ')[0]!
const wordsIn = (table: TableName): string[] => [...chapterOf(table).matchAll(/`(\w+)`/g)].map(([, word]) => word!)
/** A chapter that says "The attributes of `mqtt_msg`" has these too. */
const namedIn = (table: TableName): Set<string> =>
  new Set([...wordsIn(table), ...(chapterOf(table).includes('The attributes of `mqtt_msg`') ? wordsIn('mqtt_msg') : [])])
/** The first cells of the chapter's table. */
const listedIn = (table: TableName): string[] =>
  [...chapterOf(table).matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell]) =>
    cell!.includes('U+0000') ? [] : [...cell!.matchAll(/`(\w+)`/g)].map(([, word]) => word!),
  )

const PROPERTIES = {
  user_properties: [{ a: 'b' }, { receipt: '1' }],
  content_type: 'text/plain',
  format_indicator: 'UTF8_DATA',
  response_topic: 'r',
  correlation_data: 'Yw==',
}

const HISTORY: Row = { hook: 'message.publish', topic: 'history', action: 'on_message_store' }

/** For topics below `news/`. */
const KEPT: readonly Row[] = [
  { hook: 'session.subscribed', topic: 'news/#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: 'news/#', action: 'on_message_acked_for_pubsub' },
]

/** A little of everything: the rows of six tables at several moments. */
async function rowsOf(world: World): Promise<Map<TableName, Set<string>>> {
  const seen = new Map(TABLE_NAMES.map((table) => [table, new Set<string>()]))
  const look = async () => {
    for (const table of TABLE_NAMES) {
      for (const name of (await world.scan(table)).flatMap((item) => Object.keys(item))) seen.get(table)!.add(name)
    }
  }
  for (let i = 0; i < 20; i++) await world.publish('t', `m${i}`, PROPERTIES)
  world.native.set('kept', { payload: Buffer.from('on'), qos: 1, lastModified: world.now })
  await world.publish('kept', 'on', PROPERTIES)
  await look()
  for (const client of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await world.operatorSubscribes(client, 'many')
    await world.connect(client, `s-${client}`)
    await world.subscribe(client, `s-${client}`, 'many', 't')
  }
  await world.subscribe('c', 's-c', 'many', 't')
  world.native.delete('kept')
  await world.publish('kept', '')
  await world.unsubscribe('a', 's-a', 't')
  await look()
  await world.publish('history', 'm', PROPERTIES)
  await world.subscribe('d', 's-d', 'history')
  await world.subscribe('d', 's-d', 'durable/news/1')
  await world.publish('news/1', 'm')
  await world.connect('n', 's-n')
  await world.subscribe('n', 's-n', 'news/2')
  world.wait(60_000)
  await world.disconnect('n', 's-n')
  await world.disconnect('b', 's-b')
  await look()
  return seen
}

forEachEngine((engine) => {
  it('each table: the attributes of its rows', async () => {
    const rows = [...PAGE_ROWS, HISTORY, ...KEPT]
    const seen = await rowsOf(new World(engine, await createTables(engine), { expiredAfter: 3600, rows }))
    for (const table of TABLE_NAMES) {
      const names = [...seen.get(table)!]
      expect({ table, missing: names.filter((name) => !namedIn(table).has(name)) }).toEqual({ table, missing: [] })
    }
    // Written only where sealing is cut short, a connection stands for long, or while an event delivers.
    const rare = ['sealing', 'sealed', 'late', 'settled_at', 'granted_at', 'share_left', 'dispatch']
    for (const table of TABLE_NAMES) {
      const never = listedIn(table).filter((name) => !seen.get(table)!.has(name) && !rare.includes(name))
      expect({ table, never }).toEqual({ table, never: [] })
    }
  })
})
