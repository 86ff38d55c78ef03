import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { ACTIONS_OF_HOOK } from '../../../lambda/core/hooks.ts'
import { hookTableIn, parseConf } from '../../../lib/conf/conf.ts'

/** The conf of EMQX's page, character by character. */
const PAGE_CONF = `## DynamoDB Region
backend.dynamo.region = us-west-2

## DynamoDB Server
backend.dynamo.pool1.server = http://localhost:8000

## DynamoDB Pool Size
backend.dynamo.pool1.pool_size = 8

## AWS ACCESS KEY ID
backend.dynamo.pool1.aws_access_key_id = <access-key>

## AWS SECRET ACCESS KEY
backend.dynamo.pool1.aws_secret_access_key = <secret-key>

## DynamoDB Backend Hooks
backend.dynamo.hook.client.connected.1    = {"action": {"function": "on_client_connected"}, "pool": "pool1"}
backend.dynamo.hook.session.created.1     = {"action": {"function": "on_subscribe_lookup"}, "pool": "pool1"}
backend.dynamo.hook.client.disconnected.1 = {"action": {"function": "on_client_disconnected"}, "pool": "pool1"}
backend.dynamo.hook.session.subscribed.1  = {"topic": "#", "action": {"function": "on_message_fetch_for_queue"}, "pool": "pool1"}
backend.dynamo.hook.session.subscribed.2  = {"topic": "#", "action": {"function": "on_retain_lookup"}, "pool": "pool1"}
backend.dynamo.hook.session.unsubscribed.1= {"topic": "#", "action": {"function": "on_acked_delete"}, "pool": "pool1"}
backend.dynamo.hook.message.publish.1     = {"topic": "#", "action": {"function": "on_message_publish"}, "pool": "pool1"}
backend.dynamo.hook.message.publish.2     = {"topic": "#", "action": {"function": "on_message_retain"}, "pool": "pool1"}
backend.dynamo.hook.message.publish.3     = {"topic": "#", "action": {"function": "on_retain_delete"}, "pool": "pool1"}
backend.dynamo.hook.message.acked.1       = {"topic": "#", "action": {"function": "on_message_acked_for_queue"}, "pool": "pool1"}

# backend.dynamo.hook.message.publish.4   = {"topic": "#", "action": {"function": "on_message_store"}, "pool": "pool1"}
`

const POOL = 'backend.dynamo.pool1.server = http://localhost:8000'
const CONNECTED = 'backend.dynamo.hook.client.connected.1 = {"action": {"function": "on_client_connected"}, "pool": "pool1"}'
const given = (...lines: string[]) => [POOL, CONNECTED, ...lines].join('\n')
const parse = (text: string | Uint8Array, files: Record<string, string | Uint8Array> = {}) =>
  parseConf(text, {
    file: 'etc/a.conf',
    readInclude: (path) => {
      const included = files[path]
      if (included === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return included
    },
  })
/** A publish row with these fields beside or instead of the usual ones. */
const row = (fields: object, hook = 'message.publish', action = 'on_message_publish') =>
  `backend.dynamo.hook.${hook}.7 = ${JSON.stringify({ topic: '#', action: { function: action }, pool: 'pool1', ...fields })}`

describe('the conf of the page', () => {
  test('loads unchanged, but for a warning that names each credential', () => {
    const { table, warnings, errors } = parse(PAGE_CONF)
    expect(errors).toEqual([])
    expect(warnings.map(({ line, message }) => `${line}: ${message.split(' ')[0]}`)).toEqual([
      '11: backend.dynamo.pool1.aws_access_key_id',
      '14: backend.dynamo.pool1.aws_secret_access_key',
    ])
    expect(table).toStrictEqual({
      region: 'us-west-2',
      pools: { pool1: { server: 'http://localhost:8000', poolSize: 8 } },
      rows: [
        { hook: 'client.connected', label: '1', action: 'on_client_connected', pool: 'pool1' },
        { hook: 'session.created', label: '1', action: 'on_subscribe_lookup', pool: 'pool1' },
        { hook: 'client.disconnected', label: '1', action: 'on_client_disconnected', pool: 'pool1' },
        { hook: 'session.subscribed', label: '1', action: 'on_message_fetch_for_queue', topic: '#', pool: 'pool1' },
        { hook: 'session.subscribed', label: '2', action: 'on_retain_lookup', topic: '#', pool: 'pool1' },
        { hook: 'session.unsubscribed', label: '1', action: 'on_acked_delete', topic: '#', pool: 'pool1' },
        { hook: 'message.publish', label: '1', action: 'on_message_publish', topic: '#', pool: 'pool1' },
        { hook: 'message.publish', label: '2', action: 'on_message_retain', topic: '#', pool: 'pool1' },
        { hook: 'message.publish', label: '3', action: 'on_retain_delete', topic: '#', pool: 'pool1' },
        { hook: 'message.acked', label: '1', action: 'on_message_acked_for_queue', topic: '#', pool: 'pool1' },
      ],
    })
  })

  test('is what our default conf says, which has no credentials, and lets messages expire', () => {
    const ours = readFileSync(join(import.meta.dirname, '..', '..', '..', 'etc', 'emqx_backend_dynamo.conf'), 'utf8')
    expect(parse(ours)).toEqual({ table: { ...parse(PAGE_CONF).table, expiredAfter: 30 * 86_400 }, warnings: [], errors: [] })
  })

  test.each([
    ['with CRLF line ends', PAGE_CONF.replaceAll('\n', '\r\n')],
    ['with a byte order mark', `\ufeff${PAGE_CONF}`],
    ['with tabs for blanks', PAGE_CONF.replaceAll(/ += */g, '\t=\t')],
    ['without blanks around =', PAGE_CONF.replaceAll(/ *= */g, '=')],
    ['with blanks before keys and after values', PAGE_CONF.replaceAll(/^(backend.*)$/gm, ' \t$1 \t ')],
  ])('means the same %s', (_, text) => expect(parse(text)).toEqual(parse(PAGE_CONF)))

  test('of EMQX 4.x, with on_subscribe_lookup on client.connected, means the same hooks', () => {
    const { table, errors } = parse(PAGE_CONF.replace('session.created.1', 'client.connected.2'))
    expect(errors).toEqual([])
    expect(table.rows[1]).toEqual({ hook: 'client.connected', label: '2', action: 'on_subscribe_lookup', pool: 'pool1' })
  })
})

describe('a line', () => {
  test.each([
    ['a comment', '# anything = {'],
    ['an indented comment', '\t  ## x'],
    ['blank', ' \t'],
  ])('may be %s', (_, line) => expect(parse(given(line))).toMatchObject({ warnings: [], errors: [] }))

  test('may be a placeholder of an unrendered template, with a warning', () => {
    expect(parse(given('{{ platform_plugins }}'))).toMatchObject({ warnings: [{ file: 'etc/a.conf', line: 3 }], errors: [] })
  })

  test('keeps a # and an = in its value, and takes any label', () => {
    const { table, errors } = parse(
      given('backend.dynamo.hook.message.publish.a_b = {"topic": "x=y/#", "action": {"function": "on_message_store"}, "pool": "pool1"}'),
    )
    expect(errors).toEqual([])
    expect(table.rows[1]).toMatchObject({ label: 'a_b', topic: 'x=y/#' })
  })

  test('may name a pool with an escaped dot, or like a property of every object', () => {
    const lines = ['a\\.b', '__proto__', 'constructor'].map((pool) => `backend.dynamo.${pool}.pool_size = 2`)
    const { table, errors } = parse(given(...lines, row({ pool: 'a.b' }), row({ pool: '__proto__', topic: 'x' }).replace('.7', '.8')))
    expect(errors).toEqual([])
    expect(Object.entries(table.pools)).toEqual([
      ['pool1', { server: 'http://localhost:8000' }],
      ['a.b', { poolSize: 2 }],
      ['__proto__', { poolSize: 2 }],
      ['constructor', { poolSize: 2 }],
    ])
    expect(table.rows.map(({ pool }) => pool)).toEqual(['pool1', 'a.b', '__proto__'])
  })

  test.each([
    ['no setting', 'hello', 'not a line'],
    ['a key of two words', 'back end = 1', 'not a line'],
    ['an empty word in a key', 'backend..x = 1', 'bad key'],
    ['a dot at the end of a key', 'backend.dynamo. = 1', 'bad key'],
    ['a strange character in a key', 'backend.dynamo.ü = 1', 'bad key'],
    ['no value', 'backend.dynamo.region =', 'backend.dynamo.region has no value'],
    ['another plugin', 'backend.mysql.pool1.server = x', 'backend.mysql.pool1.server is no setting of this backend'],
    ['a setting of the broker', 'listener.tcp.external = 1883', 'no setting of this backend'],
    [
      'an unknown key',
      'backend.dynamo.regoin = us-west-2',
      'backend.dynamo.regoin is unknown, wanted backend.dynamo.region, did you mean "region"?',
    ],
    ['an unknown key of a pool', 'backend.dynamo.pool1.poolsize = 8', 'did you mean "pool_size"?'],
    ['a key that goes too deep', 'backend.dynamo.pool1.server.x = 8', 'is unknown'],
    ['a region that is none', 'backend.dynamo.region = localhost', 'backend.dynamo.region is no AWS region'],
    ['a server without scheme', 'backend.dynamo.p.server = localhost:8000', 'no plain address'],
    ['a server with a password', 'backend.dynamo.p.server = http://u:hidden@h:1', 'no plain address'],
    ['a server with a path', 'backend.dynamo.p.server = http://h:1/?token=hidden', 'no plain address'],
    ['a pool of nobody', 'backend.dynamo.pool1.pool_size = 0', 'no pool size'],
    ['an expiry of nothing', 'backend.dynamo.msg.expired_after = 0', 'no duration'],
    ['an expiry of words', 'backend.dynamo.msg.expired_after = soon', 'no duration'],
    ['a hook without label', 'backend.dynamo.hook.client.connected = {}', 'is no hook'],
    ['a hook with two labels', 'backend.dynamo.hook.client.connected.1.2 = {}', 'is no hook'],
    ['an unknown hook', 'backend.dynamo.hook.message.delivered.1 = {}', 'unknown hook, wanted client.connected, session.created'],
    ['a misspelt hook', 'backend.dynamo.hook.message.publis.1 = {}', 'did you mean "message.publish"?'],
  ])('refuses %s', (_, line, message) => {
    expect(parse(given(line)).errors).toEqual([{ file: 'etc/a.conf', line: 3, message: expect.stringContaining(message) }])
  })

  test('given twice: the last one wins, with a warning', () => {
    const { table, warnings, errors } = parse(given('backend.dynamo.region = nowhere', 'backend.dynamo.region = eu-west-1'))
    expect(errors).toEqual([])
    expect(table.region).toBe('eu-west-1')
    expect(warnings).toEqual([{ file: 'etc/a.conf', line: 4, message: 'backend.dynamo.region replaces etc/a.conf:3: the last one wins' }])
  })
})

test('a hook given twice stands where the last one stands', () => {
  const { table } = parse(given(row({ topic: 'a' }), row({ topic: 'b' }).replace('.7', '.8'), row({ topic: 'c' })))
  expect(table.rows.slice(1).map(({ label, topic }) => `${label} ${topic}`)).toEqual(['8 b', '7 c'])
})

describe('region and expiry', () => {
  test.each([
    ['us-west-2', undefined, 'us-west-2'],
    ['us-gov-west-1', 'eu-west-1', 'us-gov-west-1'],
    [undefined, 'cn-north-1', 'cn-north-1'],
    [undefined, undefined, undefined],
  ])('region %s and aws_default_region %s: %s', (region, defaultRegion, expected) => {
    const { table, errors } = parse(
      given(
        region === undefined ? '' : `backend.dynamo.region = ${region}`,
        defaultRegion === undefined ? '' : `backend.dynamo.pool1.aws_default_region = ${defaultRegion}`,
      ),
    )
    expect(errors).toEqual([])
    expect(table.region).toBe(expected)
  })

  test.each([
    ['3600', 3600],
    ['90s', 90],
    ['15m', 900],
    ['2h', 7200],
    ['1h30m', 5400],
    ['7d', 604_800],
    ['2W', 1_209_600],
  ])('expired_after %s is %i seconds', (text, seconds) => {
    expect(parse(given(`backend.dynamo.msg.expired_after = ${text}`))).toMatchObject({ table: { expiredAfter: seconds }, errors: [] })
  })

  test.each(['durable/', 'd/', 'a/b c/', 'a/b/c/d/e/f/g/', ''])('durable.prefix %p is the prefix of durable subscriptions', (prefix) => {
    expect(parse(given(`backend.dynamo.durable.prefix = ${prefix}`))).toMatchObject({ table: { durablePrefix: prefix }, errors: [] })
  })

  test.each([
    ['durable', 'is no prefix of topics: wanted whole levels such as durable/'],
    ['/d/', 'is no prefix of topics'],
    ['a/b/c/d/e/f/g/h/', 'has 8 slashes, wanted at most 7'],
    ['d/+/', 'has "+", wanted whole levels'],
    ['d/#/', 'has "#"'],
    ['$aws/', 'has "$"'],
    ["it's/", `has "'"`],
    ['acked/', 'is below acked/, where acknowledgements are published'],
    [`${'x'.repeat(64)}/`, 'has 65 bytes, wanted at most 64'],
  ])('refuses durable.prefix %s', (prefix, message) => {
    expect(parse(given(`backend.dynamo.durable.prefix = ${prefix}`)).errors).toEqual([
      { file: 'etc/a.conf', line: 3, message: expect.stringContaining(`backend.dynamo.durable.prefix ${message}`) },
    ])
  })

  test('refuses another key of durable, and tells the one there is', () => {
    expect(parse(given('backend.dynamo.durable.prefx = d/')).errors[0]!.message).toContain('did you mean "prefix"?')
  })
})

describe('bytes', () => {
  const bytes = (text: string, encoding: BufferEncoding) => Buffer.from(text, encoding)
  const LATIN = given(row({ topic: 'halle/wärme' }))
  const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16()

  test('of UTF-8 mean the same as their text, with a byte order mark too', () => {
    const wanted = parse(LATIN)
    expect(wanted.errors).toEqual([])
    expect(parse(bytes(LATIN, 'utf8'))).toEqual(wanted)
    expect(parse(bytes(`\ufeff${LATIN}`, 'utf8'))).toEqual(wanted)
  })

  test.each<[string, Uint8Array, number, string]>([
    ['Latin-1', bytes(LATIN, 'latin1'), 3, 'the character at column 58 is not UTF-8: the file has another encoding, wanted UTF-8'],
    ['Latin-1 in a comment', bytes(`# fürs Lager\r\n${given()}`, 'latin1'), 1, 'the character at column 4 is not UTF-8'],
    ['UTF-8 that is cut short', bytes(LATIN, 'utf8').subarray(0, bytes(LATIN, 'utf8').indexOf(0xa4)), 3, 'the character at column 58'],
    ['UTF-16', bytes(`\ufeff${LATIN}`, 'utf16le'), 1, 'the file is UTF-16, wanted UTF-8'],
    ['UTF-16, big endian', swapped(`\ufeff${LATIN}`), 1, 'the file is UTF-16, wanted UTF-8'],
    ['UTF-16 without a byte order mark', bytes(given(), 'utf16le'), 1, 'a zero byte: the file is UTF-16 or no text, wanted UTF-8'],
    ['a file with a zero byte', bytes(`${given()}\n\0`, 'utf8'), 3, 'a zero byte'],
  ])('refuses %s with one error', (_, conf, line, message) => {
    expect(parse(conf)).toMatchObject({ errors: [{ file: 'etc/a.conf', line, message: expect.stringContaining(message) }], warnings: [] })
    expect(parse(conf).errors).toHaveLength(1)
  })

  test('of an included file are refused with one error that names that file', () => {
    const { errors } = parse(`include pools.conf\n${CONNECTED}`, { 'pools.conf': bytes(`# ä\n${POOL}`, 'latin1') })
    expect(errors).toEqual([{ file: 'etc/pools.conf', line: 1, message: expect.stringContaining('is not UTF-8') }])
  })

  test('that somebody has decoded wrongly already are refused where they stand', () => {
    const text = bytes(LATIN, 'latin1').toString('utf8')
    expect(parse(text).errors).toEqual([{ file: 'etc/a.conf', line: 3, message: expect.stringContaining('U+FFFD') }])
    expect(parse(given('# \ufffd')).errors).toEqual([])
  })
})

describe('include', () => {
  test('reads the file relative to the including one, and names it in errors', () => {
    const { table, errors } = parse(`include more/pools.conf\n${CONNECTED}`, {
      'more/pools.conf': 'include b.conf\nbackend.dynamo.region = x',
      'b.conf': POOL,
    })
    expect(table.pools).toEqual({ pool1: { server: 'http://localhost:8000' } })
    expect(errors).toEqual([{ file: 'etc/more/pools.conf', line: 2, message: expect.stringContaining('no AWS region') }])
  })

  test.each([
    ['a missing file', 'include none.conf', {}, 'etc/a.conf', 3, 'cannot read the included file none.conf (ENOENT)'],
    ['no file', 'include', {}, 'etc/a.conf', 3, 'include PATH'],
    ['itself', 'include ../etc/a.conf', {}, 'etc/a.conf', 3, 'etc/a.conf -> etc/a.conf'],
    ['a circle', 'include b.conf', { 'b.conf': '\ninclude ./a.conf' }, 'etc/b.conf', 2, 'etc/a.conf -> etc/b.conf -> etc/a.conf'],
  ])('refuses %s', (_, line, files, file, number, message) => {
    expect(parse(given(line), files).errors).toEqual([{ file, line: number, message: expect.stringContaining(message) }])
  })

  test('refuses it where files cannot be read', () => {
    expect(parseConf(given('include b.conf'), { file: 'a' }).errors).toEqual([
      expect.objectContaining({ line: 3, message: expect.stringContaining('include') }),
    ])
  })
})

describe('a hook row', () => {
  test.each([
    ['qos of messages', row({ qos: 0 }), { qos: 0 }],
    ['qos of subscriptions', row({ qos: 2 }, 'session.subscribed', 'on_retain_lookup'), { qos: 2 }],
    ['no topic: every topic, as in EMQX', row({ topic: undefined }), { topic: '#' }],
    ['retain by topic', row({ retain: 'topic' }, 'message.publish', 'on_message_retain'), { retain: 'topic' }],
    ['retain by property', row({ retain: 'property' }, 'message.publish', 'on_retain_delete'), { retain: 'property' }],
    [
      'offline_opts of EMQX',
      row({ offline_opts: { max_returned_count: 500, time_range: '2h' } }, 'session.subscribed', 'on_message_fetch_for_queue'),
      { offlineOpts: { maxReturnedCount: 500, timeRange: 7200 } },
    ],
    ['consumers', row({ consumers: 'any' }, 'session.subscribed', 'on_message_fetch_for_queue'), { consumers: 'any' }],
    ['settle', row({ settle: '5m' }, 'session.subscribed', 'on_message_fetch_for_queue'), { settle: 300 }],
    ['settle that is off', row({ settle: 'never' }, 'session.subscribed', 'on_message_fetch_for_queue'), { settle: 'never' }],
    [
      'offline_opts as text and seconds',
      row({ offline_opts: { max_returned_count: '500', time_range: 90 } }, 'session.subscribed', 'on_message_fetch_for_queue'),
      { offlineOpts: { maxReturnedCount: 500, timeRange: 90 } },
    ],
  ])('takes %s', (_, line, fields) => {
    const { table, errors } = parse(given(line))
    expect(errors).toEqual([])
    expect(table.rows[1]).toMatchObject(fields)
  })

  const fetchRow = (more: object) => row(more, 'session.subscribed', 'on_message_fetch_for_queue')
  const fetch = (offline_opts: unknown) => fetchRow({ offline_opts })
  test.each([
    [
      'JSON that is none',
      'backend.dynamo.hook.message.publish.1 = {"topic": #}',
      'bad JSON at column 51: an unknown word, wanted {...}, [...], text in double quotes',
    ],
    ['JSON that ends early', 'backend.dynamo.hook.message.publish.1 = {"topic": "#"', 'bad JSON at column 54: wanted "," or "}"'],
    ['single quotes', "backend.dynamo.hook.message.publish.1 = {'topic': '#'}", 'bad JSON at column 42: an unknown word, wanted '],
    ['a comma too many', 'backend.dynamo.hook.message.publish.1 = {"topic": "#",}', 'bad JSON at column 55: wanted a key in double quotes'],
    ['a comment after the JSON', 'backend.dynamo.hook.message.publish.1 = {} # x', 'bad JSON at column 44: an unknown word, wanted '],
    [
      'an open string',
      'backend.dynamo.hook.message.publish.1 = {"topic": "#}',
      'bad JSON at column 51: text without its closing double quote',
    ],
    [
      'a key twice',
      'backend.dynamo.hook.message.publish.1 = {"topic": "a", "topic": "b"}',
      'bad JSON at column 56: a key that was there before',
    ],
    ['endless brackets', `backend.dynamo.hook.message.publish.1 = ${'['.repeat(10_000)}`, '10000 opening brackets, wanted at most 200'],
    ['JSON that is no object', 'backend.dynamo.hook.message.publish.1 = [1]', 'a hook is a list'],
    ['an unknown key', row({ tpoic: '#' }), 'unknown key "tpoic" in this hook'],
    ['a misspelt key', row({ offline_opt: {} }), 'did you mean "offline_opts"?'],
    ["Redis' expiry", row({ expired_time: 3600 }), 'backend.dynamo.msg.expired_after'],
    ['no action', row({ action: undefined }), '"action" is missing'],
    ['an action that is a name', row({ action: 'on_message_publish' }), '"action" is "on_message_publish", wanted {"function": name}'],
    ['no function', row({ action: {} }), '"function" is missing'],
    ['SQL', row({ action: { function: 'on_message_publish', sql: ['x'] } }), 'unknown key "sql" in "action"'],
    [
      'an unknown function',
      row({ action: { function: 'on_mesage_publish' } }),
      `${ACTIONS_OF_HOOK['message.publish'].join(', ')}, did you mean "on_message_publish"?`,
    ],
    ['a function of every object', row({ action: { function: 'constructor' } }), '"function" is "constructor", wanted one'],
    [
      'a function on the wrong hook',
      row({}, 'message.publish', 'on_acked_delete'),
      'on_acked_delete runs on session.unsubscribed, not on message.publish',
    ],
    [
      'a lookup on the wrong hook',
      row({}, 'message.acked', 'on_subscribe_lookup'),
      'runs on client.connected or session.created, not on message.acked',
    ],
    ['a topic that is no text', row({ topic: null }), '"topic" is null'],
    [
      'a topic on a client hook',
      row({}, 'client.disconnected', 'on_client_disconnected'),
      '"topic" is not possible on client.disconnected',
    ],
    ['a topic on session.created', row({}, 'session.created', 'on_subscribe_lookup'), '"topic" is not possible on session.created'],
    ['a bad filter', row({ topic: 'a/#/b' }), '"topic" "a/#/b": bad topic filter: "#" as level 2 of 3'],
    ['a shared subscription', row({ topic: '$share/g/a' }, 'session.subscribed', 'on_retain_lookup'), 'wanted "a"'],
    [
      'eight slashes',
      row({ topic: 'a/b/c/d/e/f/g/h/i' }),
      'topic filter "a/b/c/d/e/f/g/h/i" cannot be an IoT rule\'s: it has 8 slashes; wanted at most 7',
    ],
    ['a long filter', row({ topic: 'a'.repeat(257) }), 'it has 257 bytes; wanted at most 256'],
    ['a quote', row({ topic: "it's/#" }), 'it has "\'"; wanted no quote, backslash or control character'],
    ['no pool', row({ pool: undefined }), '"pool" is missing'],
    ['a pool that is no text', row({ pool: 1 }), '"pool" is 1'],
    ['an unknown pool', row({ pool: 'pool2' }), 'pool "pool2" has no backend.dynamo.<pool>.* setting, wanted pool1, did you mean "pool1"?'],
    ['qos 3', row({ qos: 3 }), '"qos" is 3, wanted 0, 1 or 2'],
    ['qos as text', row({ qos: '1' }), '"qos" is "1"'],
    [
      'qos of acks',
      row({ qos: 1 }, 'message.acked', 'on_message_acked_for_queue'),
      '"qos" is only for message.publish and session.subscribed',
    ],
    [
      'an unknown retain',
      row({ retain: true }, 'message.publish', 'on_message_retain'),
      '"retain" is true, wanted "native" or "property" or "topic"',
    ],
    ['retain of plain publishes', row({ retain: 'topic' }), '"retain" is only for on_message_retain and on_retain_delete'],
    ['settle of another action', row({ settle: '10s' }), '"settle" is only for on_message_fetch_for_queue, not for'],
    ['a settle that is no duration', fetchRow({ settle: 'soon' }), '"settle" is "soon", wanted "never" or a duration such as 90s'],
    ['consumers of another action', row({ consumers: 'any' }), '"consumers" is only for on_message_fetch_for_queue, not for'],
    ['consumers that are none', fetchRow({ consumers: 'all' }), '"consumers" is "all", wanted "exact" or "any"'],
    ['a settle of nothing', fetchRow({ settle: 0 }), '"settle" is 0, wanted "never" or a duration such as 90s'],
    ['offline_opts of another action', row({ offline_opts: {} }), '"offline_opts" is only for on_message_fetch_for_queue'],
    ['offline_opts that are none', fetch('2h'), '"offline_opts" is "2h"'],
    ['an unknown offline_opt', fetch({ max_count: 5 }), 'unknown key "max_count" in "offline_opts"'],
    ['a count of 0', fetch({ max_returned_count: 0 }), '"max_returned_count" is 0'],
    ['a count of words', fetch({ max_returned_count: 'many' }), '"max_returned_count" is "many"'],
    ['a fraction of a message', fetch({ max_returned_count: 1.5 }), '"max_returned_count" is 1.5'],
    ['a range of years', fetch({ time_range: '2y' }), '"time_range" is "2y"'],
    ['a range of nothing', fetch({ time_range: 0 }), '"time_range" is 0'],
    ['a range that is no text', fetch({ time_range: [] }), '"time_range" is a list'],
  ])('refuses %s', (_, line, message) => {
    expect(parse(given(line)).errors).toEqual([{ file: 'etc/a.conf', line: 3, message: expect.stringContaining(message) }])
  })

  test('tells everything that is wrong with it, and with its neighbours, at once and in order', () => {
    const { errors } = parse(
      given(row({ qos: 9, pool: 'x', topic: 'a#' }), 'backend.dynamo.region = x', row({ action: {} }).replace('.7', '.8')),
    )
    expect(errors.map(({ line }) => line)).toEqual([3, 3, 3, 4, 5])
  })

  test('for $ topics never runs, which is a warning', () => {
    expect(parse(given(row({ topic: '$SYS/#' })))).toMatchObject({ errors: [], warnings: [{ line: 3 }] })
  })
})

describe('a row of topics that are kept for many', () => {
  const FETCH = row({ topic: 'news/#' }, 'session.subscribed', 'on_message_fetch_for_pubsub')
  const acked = (topic: string) => row({ topic }, 'message.acked', 'on_message_acked_for_pubsub')
  const EXPIRY = 'backend.dynamo.msg.expired_after = 7d'

  test('is one with its acknowledgements and an expiry', () => {
    expect(parse(given(FETCH, acked('news/#'), EXPIRY))).toMatchObject({ errors: [], table: { rows: [{}, {}, { topic: 'news/#' }] } })
    expect(parse(given(FETCH, acked('#'), EXPIRY)).errors).toEqual([])
  })

  test('is refused without an expiry, with what to write', () => {
    expect(parse(given(FETCH, acked('#'))).errors).toEqual([
      { file: 'etc/a.conf', line: 3, message: expect.stringContaining('wanted a line such as backend.dynamo.msg.expired_after = 7d') },
    ])
  })

  test.each([[[]], [[acked('news/1')]]])('is refused where no row acknowledges all of its topics, with what to write', (rows: string[]) => {
    expect(parse(given(FETCH, ...rows, EXPIRY)).errors).toEqual([
      {
        file: 'etc/a.conf',
        line: 3,
        message: expect.stringContaining('wanted a line backend.dynamo.hook.message.acked.<label> = {"topic": "news/#"'),
      },
    ])
  })

  test('takes time_range, and refuses max_returned_count', () => {
    const with_ = (offline_opts: object) => FETCH.replace('"pool"', `"offline_opts":${JSON.stringify(offline_opts)},"pool"`)
    expect(parse(given(with_({ time_range: '2h' }), acked('#'), EXPIRY))).toMatchObject({
      errors: [],
      table: { rows: [{}, { offlineOpts: { timeRange: 7_200 } }, {}] },
    })
    expect(parse(given(with_({ max_returned_count: 5 }), acked('#'), EXPIRY)).errors).toMatchObject([
      { line: 3, message: expect.stringContaining('"max_returned_count" is not possible on on_message_fetch_for_pubsub') },
    ])
  })
})

describe('filters for which no rule can be deployed', () => {
  const ACKED = row({}, 'message.acked', 'on_message_acked_for_queue')

  test('are refused together, each on its line', () => {
    const lines = ['1/2/3/4/5/6/7/8/9', 'fine/#', "it's"].map((topic, i) => row({ topic }).replace('.7', `.${i}`))
    expect(parse(given(...lines)).errors.map(({ line }) => line)).toEqual([3, 5])
  })

  test('are refused only on message.publish, which has rules for them', () => {
    expect(parse(given(row({ topic: '1/2/3/4/5/6/7/8/9' }, 'session.subscribed', 'on_retain_lookup'))).errors).toEqual([])
  })

  test('the ack topic is one while message.acked is configured', () => {
    const publish = row({ topic: 'acked/+' }).replace('.7', '.8')
    expect(parse(given(publish)).errors).toEqual([])
    expect(parse(given(publish, ACKED)).errors).toEqual([
      { file: 'etc/a.conf', line: 3, message: expect.stringMatching(/^topic filter "acked\/\+" .* while message\.acked is configured/) },
    ])
  })

  const FETCH = row({}, 'session.subscribed', 'on_message_fetch_for_queue')

  test('topics below the prefix of durable subscriptions are such, while a queue is fetched', () => {
    const publish = row({ topic: 'durable/a/#' }).replace('.7', '.8')
    expect(parse(given(publish)).errors).toEqual([])
    expect(parse(given(publish, FETCH, 'backend.dynamo.durable.prefix =')).errors).toEqual([])
    expect(parse(given(publish, FETCH)).errors).toEqual([
      {
        file: 'etc/a.conf',
        line: 3,
        message: expect.stringMatching(/^topic filter "durable\/a\/#" .* durable subscriptions; wanted another filter, or another backend/),
      },
    ])
  })

  test('hooks see durable subscriptions without their prefix', () => {
    const lookup = row({ topic: 'durable/a' }, 'session.subscribed', 'on_retain_lookup').replace('.7', '.8')
    expect(parse(given(FETCH, lookup)).errors).toEqual([
      {
        file: 'etc/a.conf',
        line: 4,
        message: expect.stringMatching(/hooks see durable subscriptions without their prefix .* wanted "a"$/),
      },
    ])
  })

  test('more rules than a stack has room for are refused on the line of one of them', () => {
    const lines = Array.from({ length: 151 }, (_, i) => row({ topic: `plant/site${i}/telemetry/#` }).replace('.7', `.${i}`))
    const { errors } = parse(given(...lines))
    expect(errors).toHaveLength(1)
    expect(errors[0]!.message).toMatch(/it is rule 301 of 302; wanted at most 300, because a stack has at most 500 resources/)
    const [, site] = /site(\d+)/.exec(errors[0]!.message)!
    expect(errors[0]!.line).toBe(Number(site) + 3)
  })
})

describe('an action that would run twice for one event runs once, with a warning', () => {
  const LOOKUP = '{"action": {"function": "on_subscribe_lookup"}, "pool": "pool1"}'

  test('session.created yields to client.connected, whichever comes first', () => {
    const { table, warnings, errors } = parse(
      given(`backend.dynamo.hook.session.created.1 = ${LOOKUP}`, `backend.dynamo.hook.client.connected.2 = ${LOOKUP}`),
    )
    expect(errors).toEqual([])
    expect(table.rows.map(({ hook, label }) => `${hook}.${label}`)).toEqual(['client.connected.1', 'client.connected.2'])
    expect(warnings).toEqual([
      { file: 'etc/a.conf', line: 3, message: 'on_subscribe_lookup is on client.connected.2 already and runs once: this hook is ignored' },
    ])
  })

  test('the same function on the same filter', () => {
    const { table, warnings } = parse(given(row({ qos: 0 }), row({ qos: 1 }).replace('.7', '.8'), row({ topic: 'a' }).replace('.7', '.9')))
    expect(table.rows.slice(1).map(({ label, qos }) => [label, qos])).toEqual([
      ['7', 0],
      ['9', undefined],
    ])
    expect(warnings).toEqual([expect.objectContaining({ line: 4 })])
  })
})

describe('the whole file', () => {
  test.each([
    ['empty', '', 'no hook at all, and no backend.dynamo.<pool>.* setting either'],
    ['without hooks', POOL, 'no hook at all, wanted at least one'],
    ['without pools', CONNECTED, 'the file defines no pool at all'],
  ])('refuses one that is %s', (_, text, message) => {
    expect(parse(text).errors).toEqual([{ file: 'etc/a.conf', line: 1, message: expect.stringContaining(message) }])
  })

  test('loads into the table, or throws every error as file:line: message', () => {
    expect(hookTableIn(PAGE_CONF, 'x.conf')).toEqual(parse(PAGE_CONF).table)
    expect(() => hookTableIn(`hello\n${given('world')}`, 'x.conf')).toThrow(
      expect.objectContaining({ code: 'bad-conf', message: expect.stringMatching(/^x\.conf:1: not a line.*\nx\.conf:4: not a line.*$/) }),
    )
  })

  test('of any text is read without an exception', () => {
    const fragment = fc.constantFrom(
      'backend.dynamo.',
      'hook.',
      'message.publish.',
      'pool1.',
      'server',
      '=',
      '{',
      '}',
      '"topic":',
      '"#"',
      '\n',
      ' ',
      'include ',
      '{{',
      '}}',
      '\\.',
      '[',
      '1',
    )
    const text = fc.array(fc.oneof(fragment, fc.string({ unit: 'binary', maxLength: 3 }))).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (conf) => {
        const { errors, warnings } = parse(conf)
        expect(errors.length).toBeGreaterThan(0)
        for (const problem of [...errors, ...warnings]) expect(problem.line).toBeLessThanOrEqual(conf.split(/\r\n|\n|\r/).length)
      }),
      { numRuns: 500 },
    )
  })

  test('I10 a credential reaches neither the table nor a message, however its line is written', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9/+]{40}$/)
    const lines = fc.constantFrom(
      (s: string) => `backend.dynamo.pool1.aws_secret_access_key = ${s}`,
      (s: string) => `backend.dynamo.pool1.aws_secret_access_key = ${s}\nbackend.dynamo.pool1.aws_secret_access_key=${s}`,
      (s: string) => `backend.dynamo.pool1.aws_access_key_id\t=\t${s}`,
      (s: string) => `backend.dynamo.pool1.aws_secret_acess_key = ${s}`,
      (s: string) => `backend.dynamo.aws_secret_access_key = ${s}`,
      (s: string) => `backend.dynamo.pool1.aws_secret_access_key ${s}`,
      (s: string) => `backend.dynamo.pool1.aws_secret_access_key: ${s}`,
      (s: string) => `backend.dynamo.pool1.aws_secret_access_key:${s}=`,
      (s: string) => `backend.dynamo.pool1.aws_secret_access_key =\n${s}`,
      (s: string) => `backend.dynamo.pool1.aws_secret_access_key = \\\n  ${s}=`,
      (s: string) => `backend.dynamo.pool1.server = http://user:${s}@localhost`,
      (s: string) => `backend.dynamo.region = ${s}`,
      (s: string) => row({ aws_secret_access_key: s }),
      (s: string) => `backend.dynamo.hook.message.publish.1 = {"aws_secret_access_key": ${s}}`,
    )
    fc.assert(
      fc.property(secret, lines, (value, line) => {
        const conf = parse(given(line(value)))
        expect(conf.errors.length + conf.warnings.length).toBeGreaterThan(0)
        expect(JSON.stringify(conf)).not.toContain(value)
      }),
    )
  })
})
