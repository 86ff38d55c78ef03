/**
 * What the stores' requests stand on, asked of every engine: the embedded DynamoDB must answer as DynamoDB Local does.
 * The head row's updates are those of lambda/adapters, in small.
 *
 * @slow
 */
import { randomBytes } from 'node:crypto'
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { createTables, type Engine, forEachEngine, type Tables } from '../../support/engines.ts'

type Item = Record<string, AttributeValue>

const s = (value: string): AttributeValue => ({ S: value })
const n = (value: number): AttributeValue => ({ N: `${value}` })
const ids = (...values: string[]): AttributeValue => ({ SS: values })
const map = (entries: Item = {}): AttributeValue => ({ M: entries })

/** An item with its sets in order: no engine promises one. */
function sorted(item: Item | undefined): Item | undefined {
  return item && Object.fromEntries(Object.entries(item).map(([name, value]) => [name, value.SS ? { SS: [...value.SS].sort() } : value]))
}

/** The error's name, or what came instead. */
const errorOf = (sent: Promise<unknown>): Promise<unknown> =>
  sent.then(
    (answer) => answer,
    (error) => error.name,
  )

/** One head row of its own per test. */
function headRow(engine: Engine, TableName: string) {
  const Key = { topic: s(`t/${randomBytes(6).toString('hex')}`) }
  type Update = Partial<Omit<UpdateItemCommandInput, 'Key' | 'TableName'>>
  return {
    put: (item: Item) => engine.client.send(new PutItemCommand({ TableName, Item: { ...Key, ...item } })),
    update: (UpdateExpression: string, values?: Item, rest: Update = {}) =>
      engine.client.send(
        new UpdateItemCommand({ TableName, Key, UpdateExpression, ...(values && { ExpressionAttributeValues: values }), ...rest }),
      ),
    get: async () => {
      const { Item } = await engine.client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))
      const { topic, ...rest } = Item ?? {}
      return Item && sorted(rest)
    },
  }
}

forEachEngine((engine) => {
  let tables: Tables
  beforeAll(async () => {
    tables = await createTables(engine)
  })
  const head = () => headRow(engine, tables.mqtt_topic_msg_map)

  describe('enqueue', () => {
    const ENQUEUE = 'ADD MsgId :set, adds :one SET live = if_not_exists(live, :empty)'
    const values = (...set: string[]) => ({ ':set': ids(...set), ':one': n(1), ':empty': map() })

    it('makes the row, and answers the new one with ALL_NEW', async () => {
      const row = head()
      const { Attributes } = await row.update(ENQUEUE, values('a'), { ReturnValues: 'ALL_NEW' })
      expect(sorted(Attributes)).toMatchObject({ MsgId: ids('a'), adds: n(1), live: map() })
    })

    it('adds to the row, and answers the one before with ALL_OLD', async () => {
      const row = head()
      expect((await row.update(ENQUEUE, values('a'), { ReturnValues: 'ALL_OLD' })).Attributes).toBeUndefined()
      const { Attributes } = await row.update(ENQUEUE, values('b'), { ReturnValues: 'ALL_OLD' })
      expect(Attributes).toMatchObject({ MsgId: ids('a'), adds: n(1) })
      expect(await row.get()).toEqual({ MsgId: ids('a', 'b'), adds: n(2), live: map() })
    })

    it('adds an id that is there already without a change', async () => {
      const row = head()
      await row.update(ENQUEUE, values('a'))
      await row.update(ENQUEUE, values('a', 'b'))
      expect(await row.get()).toEqual({ MsgId: ids('a', 'b'), adds: n(2), live: map() })
    })

    it('loses no id of many at once', async () => {
      const row = head()
      const wanted = Array.from({ length: 40 }, (_, i) => `id-${String(i).padStart(2, '0')}`)
      await Promise.all(wanted.map((id) => row.update(ENQUEUE, values(id))))
      expect(await row.get()).toEqual({ MsgId: ids(...wanted), adds: n(40), live: map() })
    })

    it('refuses to add to an attribute of another type', async () => {
      const row = head()
      await row.put({ MsgId: s('not a set') })
      expect(await errorOf(row.update('ADD MsgId :set', { ':set': ids('a') }))).toBe('ValidationException')
    })
  })

  describe('going live', () => {
    const CONDITION =
      'attribute_exists(live) AND (attribute_not_exists(live.#c) OR live.#c.#session <> :s AND live.#c.since < :t) AND size(live) < :n'
    const entry = (session: string, since: number) => map({ session: s(session), since: n(since) })
    const goLive = (row: ReturnType<typeof head>, clientid: string, session: string, since: number, most = 10) =>
      row.update(
        'SET live.#c = :entry',
        { ':entry': entry(session, since), ':s': s(session), ':t': n(since), ':n': n(most) },
        { ConditionExpression: CONDITION, ExpressionAttributeNames: { '#c': clientid, '#session': 'session' }, ReturnValues: 'ALL_NEW' },
      )
    const refused = 'ConditionalCheckFailedException'

    it('refuses, by the condition, a row that is not there or has no live', async () => {
      expect(await errorOf(goLive(head(), 'c1', 's1', 100))).toBe(refused)
      const row = head()
      await row.put({ MsgId: ids('a') })
      expect(await errorOf(goLive(row, 'c1', 's1', 100))).toBe(refused)
    })

    it('sets an entry, and replaces that of an older session only', async () => {
      const row = head()
      await row.put({ live: map() })
      await goLive(row, 'c1', 's1', 100)
      expect(await errorOf(goLive(row, 'c1', 's1', 200))).toBe(refused)
      expect(await errorOf(goLive(row, 'c1', 's2', 99))).toBe(refused)
      expect(await row.get()).toEqual({ live: map({ c1: entry('s1', 100) }) })
      await goLive(row, 'c1', 's2', 101)
      expect(await row.get()).toEqual({ live: map({ c1: entry('s2', 101) }) })
    })

    it('compares since as a number', async () => {
      const row = head()
      await row.put({ live: map({ c1: entry('s1', 9) }) })
      await goLive(row, 'c1', 's2', 10)
      expect(await row.get()).toEqual({ live: map({ c1: entry('s2', 10) }) })
    })

    it('refuses one client too many', async () => {
      const row = head()
      await row.put({ live: map({ c1: entry('s1', 1), c2: entry('s2', 1) }) })
      expect(await errorOf(goLive(row, 'c3', 's3', 1, 2))).toBe(refused)
    })

    it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a.b', 'a[0]', '[0]', '#c', ':c', 'é😀', ' ', '"', '\\', '\u0000'])(
      'takes client id %j',
      async (clientid) => {
        const row = head()
        await row.put({ live: map() })
        const { Attributes } = await goLive(row, clientid, 's1', 100)
        expect(Object.entries(Attributes?.live?.M ?? {})).toEqual([[clientid, entry('s1', 100)]])
        expect(await errorOf(goLive(row, clientid, 's1', 100))).toBe(refused)
        await row.update('REMOVE live.#c', undefined, { ExpressionAttributeNames: { '#c': clientid } })
        expect(await row.get()).toEqual({ live: map() })
      },
    )

    it('removes an entry that is not there without a change', async () => {
      const row = head()
      await row.put({ live: map() })
      await row.update('REMOVE live.#c', undefined, { ExpressionAttributeNames: { '#c': 'c1' } })
      expect(await row.get()).toEqual({ live: map() })
    })

    it('refuses to set or remove an entry of a map that is not there', async () => {
      const row = head()
      await row.put({ MsgId: ids('a') })
      const ExpressionAttributeNames = { '#c': 'c1' }
      expect(await errorOf(row.update('REMOVE live.#c', undefined, { ExpressionAttributeNames }))).toBe('ValidationException')
      expect(await errorOf(row.update('SET live.#c = :e', { ':e': map() }, { ExpressionAttributeNames }))).toBe('ValidationException')
    })

    it('replaces the map and an entry of it only in separate updates', async () => {
      const row = head()
      await row.put({ live: map() })
      const overlap = row.update('SET live = :m, live.c1 = :e', { ':m': map(), ':e': map() })
      expect(await errorOf(overlap)).toBe('ValidationException')
    })
  })

  describe('sealing', () => {
    const SEAL = 'SET sealing = MsgId, sealed = seq, seq = seq + :one REMOVE MsgId'
    const seal = (row: ReturnType<typeof head>, full: number) =>
      row.update(
        SEAL,
        { ':one': n(1), ':n': n(full) },
        { ConditionExpression: 'attribute_not_exists(sealing) AND size(MsgId) >= :n', ReturnValues: 'ALL_NEW' },
      )

    it('moves the set aside in one update: every SET sees the row before it', async () => {
      const row = head()
      await row.put({ MsgId: ids('a', 'b'), seq: n(7) })
      const { Attributes } = await seal(row, 2)
      expect(sorted(Attributes)).toMatchObject({ sealing: ids('a', 'b'), sealed: n(7), seq: n(8) })
      expect(await row.get()).toEqual({ sealing: ids('a', 'b'), sealed: n(7), seq: n(8) })
    })

    it('refuses, by the condition, a set not full, absent, or already sealing', async () => {
      const items: Item[] = [{ MsgId: ids('a'), seq: n(0) }, { seq: n(0) }, { MsgId: ids('a', 'b'), sealing: ids('c'), seq: n(0) }]
      for (const item of items) {
        const row = head()
        await row.put(item)
        expect(await errorOf(seal(row, 2))).toBe('ConditionalCheckFailedException')
      }
      expect(await errorOf(seal(head(), 1))).toBe('ConditionalCheckFailedException')
    })

    it('refuses to take a number that is not there', async () => {
      const row = head()
      await row.put({ MsgId: ids('a') })
      expect(await errorOf(seal(row, 1))).toBe('ValidationException')
    })

    it('starts a number that is not there with if_not_exists', async () => {
      const row = head()
      const count = () => row.update('SET seq = if_not_exists(seq, :zero) + :one', { ':zero': n(0), ':one': n(1) })
      await count()
      await count()
      expect(await row.get()).toEqual({ seq: n(2) })
    })

    it('copies a set: what is added to the one is not added to the other', async () => {
      const row = head()
      await row.put({ MsgId: ids('a') })
      await row.update('SET sealing = MsgId ADD MsgId :set', { ':set': ids('b') })
      expect(await row.get()).toEqual({ sealing: ids('a'), MsgId: ids('a', 'b') })
      await row.update('SET sealing = MsgId DELETE MsgId :set', { ':set': ids('b') })
      expect(await row.get()).toEqual({ sealing: ids('a', 'b'), MsgId: ids('a') })
    })

    it('removes what is there and what is not', async () => {
      const row = head()
      await row.put({ sealing: ids('a'), sealed: n(1) })
      await row.update('REMOVE sealing', { ':n': n(1) }, { ConditionExpression: 'sealed = :n' })
      await row.update('REMOVE sealing')
      expect(await row.get()).toEqual({ sealed: n(1) })
    })

    it('makes an empty row by removing from one that is not there', async () => {
      const row = head()
      await row.update('REMOVE sealing')
      expect(await row.get()).toEqual({})
    })
  })

  describe('acking', () => {
    const ack = (row: ReturnType<typeof head>, ...set: string[]) =>
      row.update('DELETE MsgId :set, sealing :set', { ':set': ids(...set) }, { ReturnValues: 'ALL_NEW' })

    it('deletes from both sets', async () => {
      const row = head()
      await row.put({ MsgId: ids('a', 'b'), sealing: ids('a', 'c') })
      await ack(row, 'a')
      expect(await row.get()).toEqual({ MsgId: ids('b'), sealing: ids('c') })
    })

    it('leaves alone a set that is not there', async () => {
      const row = head()
      await row.put({ MsgId: ids('a', 'b') })
      const { Attributes } = await ack(row, 'a')
      expect(Attributes).not.toHaveProperty('sealing')
      expect(await row.get()).toEqual({ MsgId: ids('b') })
    })

    it('takes away a set that becomes empty', async () => {
      const row = head()
      await row.put({ MsgId: ids('a', 'b'), sealing: ids('a') })
      const { Attributes } = await ack(row, 'a', 'b')
      expect(Attributes).not.toHaveProperty('MsgId')
      expect(await row.get()).toEqual({})
    })

    it('makes an empty row where there was none, unless a condition says not to', async () => {
      const conditional = head()
      const refusal = conditional.update(
        'DELETE MsgId :set',
        { ':set': ids('a') },
        { ConditionExpression: 'attribute_exists(#t)', ExpressionAttributeNames: { '#t': 'topic' } },
      )
      expect(await errorOf(refusal)).toBe('ConditionalCheckFailedException')
      expect(await conditional.get()).toBeUndefined()
      const row = head()
      await ack(row, 'a')
      expect(await row.get()).toEqual({})
    })
  })

  describe('conditions', () => {
    const CASES: [condition: string, item: Item, values: Item, holds: boolean][] = [
      ['a BETWEEN :x AND :y', { a: n(10) }, { ':x': n(9), ':y': n(100) }, true],
      ['a BETWEEN :x AND :y', { a: n(101) }, { ':x': n(9), ':y': n(100) }, false],
      ['a BETWEEN :x AND :y', {}, { ':x': n(9), ':y': n(100) }, false],
      ['a BETWEEN :x AND :y', { a: s('b') }, { ':x': s('a'), ':y': s('c') }, true],
      [':x BETWEEN a AND b', { a: n(1), b: n(3) }, { ':x': n(2) }, true],
      ['a < :x', { a: n(-1) }, { ':x': n(0) }, true],
      ['a < :x', { a: n(1_700_000_000_000_001) }, { ':x': n(1_700_000_000_000_002) }, true],
      ['a < :x', { a: s('9') }, { ':x': s('10') }, false],
      ['a < :x', { a: s('9') }, { ':x': n(10) }, false],
      ['a < :x', {}, { ':x': n(10) }, false],
      ['a >= :x', {}, { ':x': n(10) }, false],
      ['a <> :x', {}, { ':x': n(10) }, true],
      ['a <> :x', { a: s('10') }, { ':x': n(10) }, true],
      ['a = :x', {}, { ':x': n(10) }, false],
      ['NOT a = :x', {}, { ':x': n(10) }, true],
      ['NOT a < :x', {}, { ':x': n(10) }, true],
      ['a < b', { a: n(1), b: n(2) }, {}, true],
      ['size(a) < :x', {}, { ':x': n(10) }, false],
      ['NOT size(a) < :x', {}, { ':x': n(10) }, true],
      ['size(a) = :x', { a: map() }, { ':x': n(0) }, true],
      ['size(a) = :x', { a: s('') }, { ':x': n(0) }, true],
      ['size(a) = :x', { a: { L: [] } }, { ':x': n(0) }, true],
      ['size(a) = :x', { a: s('é') }, { ':x': n(1) }, true],
      ['a.k = :x', { a: map({ k: map({ l: ids('p', 'q') }) }) }, { ':x': map({ l: ids('q', 'p') }) }, true],
      ['a <> :x', { a: map({ k: n(1) }) }, { ':x': map({ k: n(1), l: n(2) }) }, true],
      ['a IN (:x, :y)', { a: map({ k: n(1) }) }, { ':x': map({ k: n(2) }), ':y': map({ k: n(1) }) }, true],
      ['a = b', {}, {}, false],
      ['a <> b', {}, {}, true],
      ['size(a) = :x', { a: { B: new Uint8Array(5) } }, { ':x': n(5) }, true],
      ['contains(a, :x)', { a: ids('p', 'q') }, { ':x': s('q') }, true],
      ['contains(a, :x)', { a: s('pq') }, { ':x': s('q') }, true],
      ['contains(a, :x)', {}, { ':x': s('q') }, false],
      ['NOT contains(a, :x)', {}, { ':x': s('q') }, true],
      ['begins_with(a, :x)', { a: s('a\u0000b') }, { ':x': s('a\u0000') }, true],
      ['a IN (:x, :y)', { a: n(2) }, { ':x': n(1), ':y': n(2) }, true],
      ['a IN (:x, :y)', {}, { ':x': n(1), ':y': n(2) }, false],
      ['a = :x', { a: ids('p', 'q') }, { ':x': ids('q', 'p') }, true],
      ['a = :x', { a: n(1) }, { ':x': { N: '1.0' } }, true],
      ['a = :x', { a: map({ k: n(1), l: s('v') }) }, { ':x': map({ l: s('v'), k: n(1) }) }, true],
      ['a = :x', { a: map({ k: n(1) }) }, { ':x': map({ k: n(2) }) }, false],
      ['a <> :x', { a: map({ k: n(1) }) }, { ':x': map({ k: n(1) }) }, false],
      ['a = :x', { a: { L: [n(1), s('v')] } }, { ':x': { L: [n(1), s('v')] } }, true],
      ['a = :x', { a: { BOOL: false } }, { ':x': { BOOL: false } }, true],
      ['attribute_exists(a)', { a: { NULL: true } }, {}, true],
      ['attribute_exists(a)', { a: { BOOL: false } }, {}, true],
      ['attribute_exists(a)', { a: s('') }, {}, true],
      ['attribute_exists(a.k)', { a: s('not a map') }, {}, false],
      ['attribute_not_exists(a.k)', { a: map() }, {}, true],
      ['attribute_not_exists(a.k.l)', {}, {}, true],
      ['a.k < :x', { a: map({ k: n(1) }) }, { ':x': n(2) }, true],
      ['attribute_type(a, :x)', { a: map() }, { ':x': s('M') }, true],
      ['attribute_not_exists(a) OR b = :x AND c = :y', { a: n(1), b: n(1), c: n(2) }, { ':x': n(1), ':y': n(2) }, true],
      ['attribute_not_exists(a) OR b = :x AND c = :y', { a: n(1), b: n(1), c: n(3) }, { ':x': n(1), ':y': n(2) }, false],
      ['(attribute_exists(a) OR b = :x) AND c = :y', { a: n(1), c: n(3) }, { ':x': n(1), ':y': n(2) }, false],
    ]

    it.each(CASES)('%s of %j with %j: %j', async (ConditionExpression, item, values, holds) => {
      const row = head()
      await row.put(item)
      const used = Object.keys(values).length > 0 ? values : undefined
      const outcome = await errorOf(row.update('REMOVE nothing', used, { ConditionExpression }))
      expect(outcome).toEqual(holds ? expect.anything() : 'ConditionalCheckFailedException')
      if (holds) expect(outcome).toHaveProperty('$metadata')
    })

    it('puts if absent, and answers a refusal with the row that is there', async () => {
      const TableName = tables.mqtt_topic_msg_map
      const item = { topic: s(`t/${randomBytes(6).toString('hex')}\u0000\u0000`), MsgId: ids('a') }
      const put = (MsgId: AttributeValue) =>
        engine.client.send(
          new PutItemCommand({
            TableName,
            Item: { ...item, MsgId },
            ConditionExpression: 'attribute_not_exists(topic)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        )
      await put(item.MsgId)
      const refusal = await put(ids('b')).catch((error) => error)
      expect(refusal).toMatchObject({ name: 'ConditionalCheckFailedException', Item: item })
    })

    it('answers a refused update and a refused delete with the row that is there', async () => {
      const row = head()
      await row.put({ seq: n(3) })
      const condition = { ConditionExpression: 'seq = :x', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }
      const update = await row.update('REMOVE seq', { ':x': n(4) }, condition).catch((error) => error)
      expect(update).toMatchObject({ name: 'ConditionalCheckFailedException', Item: { seq: n(3) } })
      const TableName = tables.mqtt_client
      const Item = { clientid: s(`c${randomBytes(6).toString('hex')}`), seq: n(3) }
      await engine.client.send(new PutItemCommand({ TableName, Item }))
      const gone = { TableName, Key: { clientid: Item.clientid }, ExpressionAttributeValues: { ':x': n(4) }, ...condition }
      const refusal = await engine.client.send(new DeleteItemCommand(gone)).catch((error) => error)
      expect(refusal).toMatchObject({ name: 'ConditionalCheckFailedException', Item })
    })

    it('answers a refusal without the row where nobody asked, and where there is none', async () => {
      const row = head()
      const ask = (rest: object) => row.update('REMOVE seq', { ':x': n(4) }, { ConditionExpression: 'seq = :x', ...rest })
      expect(await ask({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }).catch((error) => error.Item)).toBeUndefined()
      await row.put({ seq: n(3) })
      expect(await ask({}).catch((error) => error.Item)).toBeUndefined()
    })
  })

  describe('keys', () => {
    it('keeps U+0000 in keys, and orders a range by bytes', async () => {
      const clientid = s(`c${randomBytes(6).toString('hex')}\u0000`)
      const topics = ['a', 'a\u0000', 'a\u0000b', 'a ', 'b', 'é', '\uFFFD', '😀']
      for (const topic of [...topics].reverse()) {
        await engine.client.send(new PutItemCommand({ TableName: tables.mqtt_sub, Item: { clientid, topic: s(topic) } }))
      }
      const query = (rest: object) =>
        engine.client.send(
          new QueryCommand({ TableName: tables.mqtt_sub, ExpressionAttributeNames: { '#t': 'topic', '#c': 'clientid' }, ...rest } as never),
        )
      const all = await query({
        KeyConditionExpression: '#c = :c AND #t > :t',
        ExpressionAttributeValues: { ':c': clientid, ':t': s(' ') },
      })
      expect(all.Items?.map((item) => item.topic?.S)).toEqual(topics)
      const some = await query({
        KeyConditionExpression: '#c = :c AND begins_with(#t, :t)',
        ExpressionAttributeValues: { ':c': clientid, ':t': s('a\u0000') },
      })
      expect(some.Items?.map((item) => item.topic?.S)).toEqual(['a\u0000', 'a\u0000b'])
      const between = await query({
        KeyConditionExpression: '#c = :c AND #t BETWEEN :t AND :u',
        ExpressionAttributeValues: { ':c': clientid, ':t': s('a\u0000'), ':u': s('b') },
        ScanIndexForward: false,
      })
      expect(between.Items?.map((item) => item.topic?.S)).toEqual(['b', 'a ', 'a\u0000b', 'a\u0000'])
    })

    it.each(['__proto__', 'constructor', 'valueOf'])('keeps a row, a key and an attribute named %s', async (name) => {
      const item: Item = { clientid: s(name), topic: s(name), [`x${name}`]: s(`"${name}"`) }
      // The SDK itself loses a top-level attribute `__proto__`.
      if (name !== '__proto__') item[name] = map({ k: s('v') })
      await engine.client.send(new PutItemCommand({ TableName: tables.mqtt_sub, Item: item }))
      const Key = { clientid: s(name), topic: s(name) }
      const { Item } = await engine.client.send(new GetItemCommand({ TableName: tables.mqtt_sub, Key }))
      expect(Object.entries(Item ?? {}).sort()).toEqual(Object.entries(item).sort())
    })

    it('refuses an empty key, and a key that is not the whole key', async () => {
      const get = (Key: Item) => errorOf(engine.client.send(new GetItemCommand({ TableName: tables.mqtt_sub, Key })))
      expect(await get({ clientid: s(''), topic: s('t') })).toBe('ValidationException')
      expect(await get({ clientid: s('c') })).toBe('ValidationException')
      expect(await get({ clientid: s('c'), topic: s('t'), more: s('x') })).toBe('ValidationException')
    })

    it('refuses a table that is not there', async () => {
      const get = new GetItemCommand({ TableName: `${tables.mqtt_sub}_not`, Key: { clientid: s('c') } })
      expect(await errorOf(engine.client.send(get))).toBe('ResourceNotFoundException')
    })
  })

  describe('batches and pages', () => {
    const rows = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => ({ msgid: s(`${prefix}${i}`) }))
    const write = (requests: object[]) =>
      engine.client.send(new BatchWriteItemCommand({ RequestItems: { [tables.mqtt_msg]: requests as never } }))

    it('gets a hundred rows at once, consistently, without those that are not there', async () => {
      const all = rows('batch-', 60)
      for (let i = 0; i < all.length; i += 25) await write(all.slice(i, i + 25).map((Item) => ({ PutRequest: { Item } })))
      const Keys = [...all, ...rows('absent-', 40)]
      const got = await engine.client.send(new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: { Keys, ConsistentRead: true } } }))
      expect(got.Responses?.[tables.mqtt_msg]?.map((item) => item.msgid?.S).sort()).toEqual(all.map((item) => item.msgid.S).sort())
      expect(got.UnprocessedKeys).toEqual({})
      const again = new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: { Keys: [Keys[0]!, Keys[0]!] } } })
      expect(await errorOf(engine.client.send(again))).toBe('ValidationException')
      const tooMany = new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: { Keys: rows('x', 101) } } })
      expect(await errorOf(engine.client.send(tooMany))).toBe('ValidationException')
    })

    it('deletes in a batch what is there and what is not', async () => {
      const all = rows('gone-', 10)
      await write(all.map((Item) => ({ PutRequest: { Item } })))
      const deleted = await write([...all, ...rows('never-', 15)].map((Key) => ({ DeleteRequest: { Key } })))
      expect(deleted.UnprocessedItems).toEqual({})
      const got = await engine.client.send(new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: { Keys: all } } }))
      expect(got.Responses?.[tables.mqtt_msg]).toEqual([])
      expect(await errorOf(write(rows('x', 26).map((Key) => ({ DeleteRequest: { Key } }))))).toBe('ValidationException')
    })

    it('leaves unprocessed what goes beyond 16 MB, with all that was asked of it', async () => {
      const payload = { B: randomBytes(390_000) }
      const all = rows('large-', 50)
      await Promise.all(
        all.map((Item) => engine.client.send(new PutItemCommand({ TableName: tables.mqtt_msg, Item: { ...Item, payload } }))),
      )
      const asked = { ConsistentRead: true, ProjectionExpression: '#m, payload', ExpressionAttributeNames: { '#m': 'msgid' } }
      const got = await engine.client.send(new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: { Keys: all, ...asked } } }))
      const left = got.UnprocessedKeys?.[tables.mqtt_msg]
      const count = got.Responses?.[tables.mqtt_msg]?.length ?? 0
      expect(left).toMatchObject(asked)
      expect(count + (left?.Keys?.length ?? 0)).toBe(50)
      expect(count).toBeGreaterThanOrEqual(40)
      expect(count).toBeLessThanOrEqual(44)
      const rest = await engine.client.send(new BatchGetItemCommand({ RequestItems: { [tables.mqtt_msg]: left! } }))
      expect(rest.Responses?.[tables.mqtt_msg]).toHaveLength(50 - count)
    })

    it('pages a query by a limit and by 1 MB', async () => {
      const topic = s(`t/${randomBytes(6).toString('hex')}`)
      const clients = Array.from({ length: 12 }, (_, i) => `c${String(i).padStart(2, '0')}`)
      const msgid = s('x'.repeat(200_000))
      for (const clientid of clients) {
        await engine.client.send(new PutItemCommand({ TableName: tables.mqtt_acked, Item: { topic, clientid: s(clientid), msgid } }))
      }
      const pages = async (Limit?: number) => {
        const sizes: number[] = []
        const found: string[] = []
        let ExclusiveStartKey: Item | undefined
        do {
          const page: { Items?: Item[]; LastEvaluatedKey?: Item } = await engine.client.send(
            new QueryCommand({
              TableName: tables.mqtt_acked,
              KeyConditionExpression: 'topic = :t',
              ExpressionAttributeValues: { ':t': topic },
              ...(Limit && { Limit }),
              ...(ExclusiveStartKey && { ExclusiveStartKey }),
            }),
          )
          sizes.push(page.Items?.length ?? 0)
          found.push(...(page.Items ?? []).map((item) => `${item.clientid?.S}`))
          ExclusiveStartKey = page.LastEvaluatedKey
        } while (ExclusiveStartKey)
        return { sizes, found }
      }
      expect(await pages(5)).toEqual({ sizes: [5, 5, 2], found: clients })
      expect(await pages(6)).toEqual({ sizes: [6, 6, 0], found: clients })
      // Whether a page that ends with the last row says so is left open by DynamoDB.
      expect(await pages()).toEqual({ sizes: expect.arrayContaining([6, 6]), found: clients })
    })

    it('pages a scan, each row once, with a filter', async () => {
      const wanted = Array.from({ length: 25 }, (_, i) => `scan-${i}`)
      for (const clientid of wanted) {
        await engine.client.send(
          new PutItemCommand({ TableName: tables.mqtt_client, Item: { clientid: s(clientid), odd: n(Number(clientid.at(-1)) % 2) } }),
        )
      }
      const found: string[] = []
      let ExclusiveStartKey: Item | undefined
      do {
        const page: { Items?: Item[]; LastEvaluatedKey?: Item } = await engine.client.send(
          new ScanCommand({
            TableName: tables.mqtt_client,
            Limit: 4,
            FilterExpression: 'odd = :one',
            ExpressionAttributeValues: { ':one': n(1) },
            ...(ExclusiveStartKey && { ExclusiveStartKey }),
          }),
        )
        found.push(...(page.Items ?? []).map((item) => `${item.clientid?.S}`))
        ExclusiveStartKey = page.LastEvaluatedKey
      } while (ExclusiveStartKey)
      expect(found.sort()).toEqual(wanted.filter((id) => Number(id.at(-1)) % 2 === 1).sort())
    })
  })

  describe('sizes and capacity', () => {
    const unitsOf = async (item: Item) => {
      const put = new PutItemCommand({ TableName: tables.mqtt_msg, Item: { msgid: s('size'), ...item }, ReturnConsumedCapacity: 'TOTAL' })
      const { ConsumedCapacity } = await engine.client.send(put)
      return ConsumedCapacity?.CapacityUnits
    }
    beforeEach(() => engine.client.send(new DeleteItemCommand({ TableName: tables.mqtt_msg, Key: { msgid: s('size') } })))

    const CASES: [what: string, item: Item, units: number][] = [
      ['an empty row', {}, 1],
      ['1,024 bytes: 9 of key and 7 of name', { payload: s('x'.repeat(1_008)) }, 1],
      ['1,025 bytes', { payload: s('x'.repeat(1_009)) }, 2],
      ['UTF-8, not characters', { payload: s('é'.repeat(505)) }, 2],
      ['128 KB of bytes', { payload: { B: randomBytes(131_072) } }, 129],
      ['a set of 21 ids of 47 bytes', { MsgId: ids(...Array.from({ length: 21 }, (_, i) => `${i}`.padStart(47, '0'))) }, 1],
      ['a set of 22 ids of 47 bytes', { MsgId: ids(...Array.from({ length: 22 }, (_, i) => `${i}`.padStart(47, '0'))) }, 2],
    ]
    it.each(CASES)('charges a put of %s', async (_, item, units) => {
      expect(await unitsOf(item)).toBe(units)
    })

    it('charges an update by the larger of before and after', async () => {
      const Key = { msgid: s('size') }
      await unitsOf({ payload: s('x'.repeat(3_000)) })
      const shrink = { TableName: tables.mqtt_msg, Key, UpdateExpression: 'REMOVE payload', ReturnConsumedCapacity: 'TOTAL' as const }
      expect((await engine.client.send(new UpdateItemCommand(shrink))).ConsumedCapacity?.CapacityUnits).toBe(3)
      expect((await engine.client.send(new UpdateItemCommand(shrink))).ConsumedCapacity?.CapacityUnits).toBe(1)
    })

    it('takes 400 KB and refuses more', async () => {
      expect(await unitsOf({ payload: s('x'.repeat(409_600 - 16)) })).toBe(400)
      expect(await errorOf(unitsOf({ payload: s('x'.repeat(409_601 - 16)) }))).toBe('ValidationException')
    })

    it('keeps every byte of a binary payload', async () => {
      const payload = { B: Uint8Array.from({ length: 256 }, (_, i) => i) }
      await unitsOf({ payload })
      const { Item } = await engine.client.send(new GetItemCommand({ TableName: tables.mqtt_msg, Key: { msgid: s('size') } }))
      expect(Buffer.from(Item?.payload?.B ?? [])).toEqual(Buffer.from(payload.B))
    })
  })
})
