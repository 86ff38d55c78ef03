import { ACK_SELECT } from '../../../lambda/core/events/ack-events.ts'
import { LIFECYCLE_SELECT } from '../../../lambda/core/events/lifecycle-events.ts'
import { PUBLISH_SELECT } from '../../../lambda/core/events/publish-events.ts'
import { awsFilterMatches, compileRule } from '../../../local/rules/rule-evaluator.ts'
import type { RuleMessage } from '../../../local/rules/rule-message.ts'

const message = (changes: Partial<RuleMessage> = {}): RuleMessage => ({
  topic: 'room/1/light',
  clientid: 'c1',
  payload: Buffer.from('{"on":true}'),
  at: 1_562_308_553_981,
  uuid: '11111111-2222-3333-4444-555555555555',
  ...changes,
})
const selected = (columns: string, changes?: Partial<RuleMessage>) => compileRule(`SELECT ${columns} FROM '#'`).evaluate(message(changes))
const passes = (where: string, changes?: Partial<RuleMessage>) =>
  compileRule(`SELECT topic() AS t FROM '#' WHERE ${where}`).evaluate(message(changes)) !== undefined

describe("a FROM filter, AWS's way", () => {
  test.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/', true],
    ['a/+', 'a', false],
    ['a/+/c', 'a//c', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['#', 'a/b/c', true],
    ['#', '$aws/events/presence/connected/c1', true],
    ['a/#', 'a/b', true],
    ['a/#', 'a/', true],
    ['a/#', 'a', false],
    ['+/#', 'a', false],
    ['a/b', 'A/b', false],
  ])('%s takes %s: %s', (filter, topic, expected) => {
    expect(awsFilterMatches(filter, topic)).toBe(expected)
  })
})

describe('a SELECT clause', () => {
  test('of a publish gives topic, ids, clock, payload in base64 and MQTT 5 properties', () => {
    const sent = {
      traceid: 'trace',
      userProperties: [
        ['k', '1'],
        ['k', '2'],
      ] as const,
      contentType: 'text/plain',
      formatIndicator: 'UTF8_DATA',
      responseTopic: 'answers',
      correlationData: Buffer.from([0, 255]),
    }
    expect(selected(PUBLISH_SELECT, sent)).toEqual({
      topic: 'room/1/light',
      clientid: 'c1',
      timestamp: 1_562_308_553_981,
      traceid: 'trace',
      uuid: '11111111-2222-3333-4444-555555555555',
      payload: 'eyJvbiI6dHJ1ZX0=',
      user_properties: [{ k: '1' }, { k: '2' }],
      content_type: 'text/plain',
      format_indicator: 'UTF8_DATA',
      response_topic: 'answers',
      correlation_data: 'AP8=',
    })
  })

  test('leaves out what is undefined, and an HTTP publish has the client id n/a', () => {
    const event = selected(PUBLISH_SELECT, { clientid: undefined, payload: Buffer.alloc(0) })
    expect(event).toEqual({
      topic: 'room/1/light',
      clientid: 'n/a',
      timestamp: 1_562_308_553_981,
      uuid: '11111111-2222-3333-4444-555555555555',
      payload: '',
    })
  })

  test.each([
    ['topic(1) AS a, topic(3) AS b, topic(4) AS c', { a: 'room', b: 'light' }],
    ["get_user_properties('k') AS k, get_user_properties('none') AS n", { k: ['1'] }],
    ["'it''s' AS quoted", { quoted: "it's" }],
    [ACK_SELECT, { topic: 'room/1/light', clientid: 'c1', timestamp: 1_562_308_553_981, payload: 'eyJvbiI6dHJ1ZX0=' }],
    [LIFECYCLE_SELECT, { on: true }],
  ])('%s', (columns, expected) => {
    expect(selected(columns, { userProperties: [['k', '1']] })).toEqual(expected)
  })

  test.each(['80', '[1]', 'null', 'not json', ''])('refuses * on the payload %j', (payload) => {
    expect(() => selected('*', { payload: Buffer.from(payload) })).toThrow(/SELECT \* wants a JSON object, got \d+ other bytes on room/)
  })
})

describe('a WHERE clause', () => {
  test.each([
    ["startswith(topic(), 'room/')", true],
    ["NOT startswith(topic(), 'room/')", false],
    ["topic() = 'room/1/light'", true],
    ["topic() <> 'room/1/light'", false],
    ["clientid() = 'c1' AND topic() = 'x'", false],
    ["clientid() = 'c1' OR topic() = 'x'", true],
    ["topic() = 'x' AND topic() = 'y' OR clientid() = 'c1'", true],
    ["topic() = 'x' AND (topic() = 'y' OR clientid() = 'c1')", false],
    ["(NOT topic() = 'x') AND (NOT (topic() = 'y' OR clientid() = 'c2'))", true],
    ["NOT topic() = 'x' AND clientid() = 'c2'", false],
    ["regexp_matches(topic(), '^room/[^/]*/light$')", true],
    ["regexp_matches(topic(), '1')", true],
    ["regexp_matches(topic(), '^1')", false],
  ])('%s: %s', (where, expected) => {
    expect(passes(where)).toBe(expected)
  })
})

describe('refuses SQL that our rules do not use', () => {
  test.each([
    ["SELECT temperature FROM 'a'", /wanted one of topic, .*got "temperature" at 7/],
    ["SELECT topic() FROM 'a'", /wanted AS, got "FROM"/],
    ["SELECT *, topic() AS t FROM 'a'", /wanted FROM, got ","/],
    ['SELECT * FROM a', /wanted a topic filter in single quotes, got "a"/],
    ["SELECT * FROM 'a' WHERE", /wanted one of topic, .*got "the end"/],
    ["SELECT * FROM 'a' WHERE topic()", /wanted <>/],
    ["SELECT * FROM 'a' WHERE timestamp() = 'x'", /between strings that are never undefined/],
    ["SELECT * FROM 'a' WHERE topic(2) = 'x'", /between strings that are never undefined/],
    ["SELECT * FROM 'a' WHERE startswith(topic(), 'a') LIMIT 1", /wanted the end of the statement, got "LIMIT"/],
    ["SELECT * FROM 'a' WHERE endswith(topic(), 'a')", /wanted one of topic,/],
    ["SELECT * FROM 'a' WHERE constructor()", /wanted one of topic,/],
    ["SELECT topic(0) AS t FROM 'a'", /topic: wanted nothing or a level from 1/],
    ["SELECT newuuid('x') AS t FROM 'a'", /newuuid: takes no argument, got 1/],
    ["SELECT encode(payload, 'base64') AS t FROM 'a'", /wanted one of/],
    ["SELECT encode(*, 'hex') AS t FROM 'a'", /encode: only/],
    ["SELECT get_mqtt_property('qos') AS q FROM 'a'", /unknown property 'qos', wanted one of content_type/],
    ["SELECT get_mqtt_property('constructor') AS q FROM 'a'", /unknown property 'constructor'/],
    ["SELECT * FROM 'a' WHERE regexp_matches(topic(), 'a\\.b')", /does not read the same/],
    ["SELECT * FROM 'a' WHERE topic() > 'x'", /cannot read " > 'x'" at/],
    ["SELECT * FROM 'a", /cannot read/],
  ])('%s', (sql, reason) => {
    expect(() => compileRule(sql)).toThrow(reason)
  })
})
