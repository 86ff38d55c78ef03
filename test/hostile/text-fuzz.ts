/** The readers of text: confs, rule SQL, JSON. Each takes it or refuses it in its own words, never with an error of JavaScript's. */
import fc from 'fast-check'
import { BackendError } from '../../lambda/core/errors.ts'
import { parseConf } from '../../lib/conf/conf.ts'
import { JsonFault, parseJson } from '../../lib/conf/json.ts'
import { compileRule } from '../../local/rules/rule-evaluator.ts'
import type { RuleMessage } from '../../local/rules/rule-message.ts'
import { topics } from './arbitraries.ts'
import { assertSilent, CANARY } from './canary.ts'
import { assertThat, type FuzzTarget, pure } from './fuzz-target.ts'
import { NASTY_WORDS } from './nasty-names.ts'

const blank = fc.constantFrom('', ' ', '\t', '  ', '\u00a0', '\v')
const junk = fc.string({ unit: 'binary', maxLength: 8 })
const long = fc.tuple(fc.constantFrom('a', ' ', '(', '[', '"', "'", '\\', '.', '{', '=', '#', 'NOT '), fc.integer({ min: 1, max: 3000 }))
const repeated = long.map(([text, times]) => text.repeat(times))

/** Any of the pieces, in any order. */
const mixed = (pieces: fc.Arbitrary<string>, maxLength: number) => fc.array(pieces, { maxLength }).map((some) => some.join(''))

const key = fc.constantFrom(
  'backend.dynamo.region',
  'backend.dynamo.p.server',
  'backend.dynamo.p.pool_size',
  'backend.dynamo.p.aws_access_key_id',
  'backend.dynamo.__proto__.aws_secret_access_key',
  'backend.dynamo.msg.expired_after',
  'backend.dynamo.hook.message.publish.1',
  'backend.dynamo.hook.__proto__.constructor.1',
  'include',
  '',
)
const confJson = mixed(
  fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"topic"',
      '"action"',
      '"function"',
      '"on_message_publish"',
      '"pool"',
      '"p"',
      '"#"',
      '"__proto__"',
    ),
    fc.constantFrom(
      '"qos"',
      '1e400',
      '-0',
      'null',
      '"offline_opts"',
      '"retain"',
      '"\\ud800"',
      '"\\u0000"',
      '{"topic":"#","action":{"function":"on_message_publish"},"pool":"p"}',
    ),
    junk,
  ),
  12,
)
const value = fc.oneof(fc.constantFrom('us-west-2', '8', '1h30m', 'http://localhost:8000', CANARY), confJson, junk, repeated)
const line = fc.tuple(blank, key, blank, fc.constantFrom('=', '', '=='), blank, value).map((parts) => parts.join(''))
const secretLine = fc
  .constantFrom('aws_access_key_id = ', 'aws_secret_access_key=', 'aws_secret_access_key ')
  .map((setting) => `backend.dynamo.p.${setting}${CANARY}`)
const confs = fc
  .array(fc.oneof({ weight: 6, arbitrary: line }, secretLine, junk, repeated), { maxLength: 12 })
  .chain((lines) => fc.constantFrom('\n', '\r\n', '\r').map((end) => lines.join(end)))

export const confTarget: FuzzTarget = {
  name: 'conf',
  runs: 2_000,
  open: pure(
    fc.asyncProperty(confs, async (text) => {
      const { table, errors, warnings } = parseConf(text, { file: 'a.conf', readInclude: () => '# nothing' })
      for (const { line, message } of [...errors, ...warnings])
        assertThat(line >= 1 && message.length < 2_000, `a problem without place or end: ${line} ${message}`)
      assertThat(errors.length > 0 || table.rows.length > 0, 'neither rows nor an error')
      JSON.stringify(table)
      // The path of an include is quoted.
      if (!text.includes('include')) assertSilent('a problem of the conf', JSON.stringify([errors, warnings]))
    }),
  ),
}

const sqlPiece = fc.oneof(
  fc.constantFrom(
    'SELECT ',
    '* ',
    ' FROM ',
    ' WHERE ',
    ' AS ',
    'NOT ',
    ' AND ',
    ' OR ',
    '(',
    ')',
    ',',
    '=',
    '<>',
    "'",
    "''",
    "'#'",
    "'a/+'",
    "'$aws/#'",
  ),
  fc.constantFrom(
    'topic()',
    'topic(2)',
    'clientid()',
    'timestamp()',
    "encode(*, 'base64')",
    "startswith(topic(), 'a')",
    "regexp_matches(topic(), '^a')",
    'constructor()',
  ),
  fc.constantFrom(
    "get_mqtt_property('content_type')",
    'get_user_properties()',
    "get_user_properties('__proto__')",
    'a',
    '__proto__',
    '1',
    '99999999999999999999',
  ),
  fc.constantFrom("SELECT topic() AS a FROM '#' WHERE ", "SELECT * FROM '#'", "SELECT get_user_properties() AS __proto__ FROM '#'"),
  junk,
  repeated,
)
const messages: fc.Arbitrary<RuleMessage> = fc.record({
  topic: topics,
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map(Buffer.from),
    fc.json().map(Buffer.from),
    fc.constant(Buffer.from(`{"__proto__":"${'x'.repeat(9)}"}`)),
  ),
  at: fc.nat(),
  uuid: fc.constant('u'),
  userProperties: fc.array(fc.tuple(fc.constantFrom(...NASTY_WORDS), junk), { maxLength: 3 }),
})

export const sqlTarget: FuzzTarget = {
  name: 'sql',
  runs: 2_000,
  open: pure(
    fc.asyncProperty(mixed(sqlPiece, 14), messages, async (sql, message) => {
      try {
        const selected = compileRule(sql).evaluate(message)
        assertThat(selected === undefined || typeof selected === 'object', 'neither an object nor undefined')
      } catch (error) {
        assertThat(error instanceof BackendError && /^rule-(sql|payload)$/.test(error.code), `no refusal of its own: ${error}`)
        assertThat(error.message.length < 2_000, `a refusal of ${error.message.length} characters`)
      }
    }),
  ),
}

/** JSON as it should be, and with a character more, less or other. */
const jsons = fc
  .tuple(fc.oneof(fc.json({ maxDepth: 4 }), confJson), fc.option(fc.tuple(fc.nat(), fc.nat(3), junk)))
  .map(([text, change]) => {
    if (change === null) return text
    const [at, length, more] = change
    const from = at % (text.length + 1)
    return text.slice(0, from) + more + text.slice(from + length)
  })

export const jsonTarget: FuzzTarget = {
  name: 'json',
  runs: 2_000,
  open: pure(
    fc.asyncProperty(jsons, async (text) => {
      let read: unknown
      try {
        read = plain(parseJson(text))
      } catch (error) {
        assertThat(error instanceof JsonFault && error.offset >= 0 && error.offset <= text.length, `no fault of its own: ${error}`)
        // Stricter in two things only: a key once, and 32 levels.
        if (/was there before|levels/.test(error.message)) return
        assertThat(!isJson(text), `refused what JSON.parse takes: ${error.message}`)
        return
      }
      assertThat(JSON.stringify(read) === JSON.stringify(JSON.parse(text)), 'read otherwise than JSON.parse does')
    }),
  ),
}

/** The Maps as objects, in the order that JSON.parse gives them. */
const plain = (json: unknown): unknown => {
  if (json instanceof Map) return Object.fromEntries([...json].map(([name, one]) => [name, plain(one)]))
  return Array.isArray(json) ? json.map(plain) : json
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
