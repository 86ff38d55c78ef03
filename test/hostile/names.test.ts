/**
 * Names that mean something to DynamoDB, JavaScript or our own row keys, each through a whole life, on both engines.
 *
 * @slow
 */
import { createTables, forEachEngine, type Tables } from '../support/engines.ts'
import { rowsWith, World } from '../support/world.ts'
import { assertSameAsPlain, type Story } from './name-fuzz.ts'
import { NASTY_CLIENT_IDS, NASTY_TOPICS } from './nasty-names.ts'

const ROWS = rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: 'property' })
const SUBSCRIBERS = ['client', 'durable client', 'operator', 'operator of all'] as const

/** Every client id and every topic of the lists once; subscribers and crowds in turn. */
const STORIES = Array.from(
  { length: Math.max(NASTY_CLIENT_IDS.length, NASTY_TOPICS.length) },
  (_, i): Story => ({
    clientid: NASTY_CLIENT_IDS[i % NASTY_CLIENT_IDS.length]!,
    topic: NASTY_TOPICS[(i + 7) % NASTY_TOPICS.length]!,
    subscriber: SUBSCRIBERS[i % 4]!,
    crowded: i % 5 === 0,
  }),
)

forEachEngine((engine) => {
  let tables: Tables
  beforeAll(async () => {
    tables = await createTables(engine)
  })

  // DynamoDB Local is slow: a few there.
  const stories = engine.name === 'local' ? STORIES.filter((_, i) => i % 15 === 0) : STORIES
  it.each(stories.map((story) => [story.clientid, story.topic, story] as const))('client %j on %j', (_client, _topic, story) =>
    assertSameAsPlain(() => new World(engine, tables, { rows: ROWS }), story),
  )
})
