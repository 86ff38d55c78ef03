import fc from 'fast-check'
import type { HookName } from '../../../lambda/core/hooks.ts'
import { topicMatches } from '../../../lambda/core/topic.ts'
import { covers, overlaps } from '../../../lib/pipeline/filter-cover.ts'
import { hookRules, publishFaults } from '../../../lib/pipeline/rule-sql.ts'
import { awsFilterMatches, compileRule, type Rule } from '../../../local/rules/rule-evaluator.ts'

const rulesOf = (hook: HookName, filters: readonly string[], acks = false, durablePrefix = '') => {
  const rows = filters.map((topic, i) => ({ hook, label: `${i}`, action: 'on_message_publish' as const, topic, pool: 'p' }))
  return hookRules(
    { hook, rows, subscribed: [], acked: [], history: [], settles: false, nativeRetained: [], serverSubscriptions: false, durablePrefix },
    { acks },
  )
}
const publishRules = (filters: readonly string[], { acks = false, durablePrefix = '' } = {}) =>
  rulesOf('message.publish', filters, acks, durablePrefix).map(({ sql }) => sql)
const fromAndWhere = (sql: string) => sql.slice(sql.indexOf(' FROM ') + 1)
const matching = (rules: readonly Rule[], topic: string) =>
  rules.filter((rule) => rule.evaluate({ topic, payload: Buffer.alloc(0), at: 0, uuid: '' }) !== undefined)

describe('the statements of publish filters', () => {
  test.each<[string, string[], { acks?: boolean; durablePrefix?: string }, string[]]>([
    ['everything', ['#'], {}, ["FROM '#' WHERE NOT startswith(topic(), '$')"]],
    ['the same filter twice', ['#', '#', '+/#'], {}, ["FROM '#' WHERE NOT startswith(topic(), '$')"]],
    ['a filter that another covers is dropped', ['a/b', 'a/#', 'a/+/c', '#'], {}, ["FROM '#' WHERE NOT startswith(topic(), '$')"]],
    [
      'durable subscriptions are no topics of messages',
      ['#', 'cmd/+'],
      { durablePrefix: 'durable/' },
      ["FROM '#' WHERE (NOT startswith(topic(), '$')) AND (NOT startswith(topic(), 'durable/'))"],
    ],
    [
      'a filter that no durable topic matches stays as it is',
      ['cmd/+'],
      { durablePrefix: 'durable/' },
      ["FROM 'cmd/+' WHERE NOT startswith(topic(), '$')"],
    ],
    ['a/# also takes a', ['a/#'], {}, ["FROM 'a' WHERE NOT startswith(topic(), '$')", "FROM 'a/#' WHERE NOT startswith(topic(), '$')"]],
    [
      'an overlap is excluded from the later one',
      ['+/b', 'a/+', 'a/c/#'],
      {},
      [
        "FROM 'a/c/#' WHERE NOT startswith(topic(), '$')",
        "FROM '+/b' WHERE NOT startswith(topic(), '$')",
        "FROM 'a/+' WHERE (NOT startswith(topic(), '$')) AND (NOT regexp_matches(topic(), '^[^/]*/b$'))",
      ],
    ],
    [
      'literals and prefixes need no regular expression',
      ['a/#', '+/b/+'],
      {},
      [
        "FROM 'a' WHERE NOT startswith(topic(), '$')",
        "FROM 'a/#' WHERE NOT startswith(topic(), '$')",
        "FROM '+/b/+' WHERE (NOT startswith(topic(), '$')) AND (NOT startswith(topic(), 'a/'))",
      ],
    ],
    [
      'no backslash in a regular expression',
      ['+/v1.0', 'x/+'],
      {},
      [
        "FROM '+/v1.0' WHERE NOT startswith(topic(), '$')",
        "FROM 'x/+' WHERE (NOT startswith(topic(), '$')) AND (NOT regexp_matches(topic(), '^[^/]*/v1[.]0$'))",
      ],
    ],
    [
      'the ack topic is no message',
      ['#'],
      { acks: true },
      ["FROM '#' WHERE (NOT startswith(topic(), '$')) AND (NOT startswith(topic(), 'acked/'))"],
    ],
    ['the ack topic is out of reach', ['a/b'], { acks: true }, ["FROM 'a/b' WHERE NOT startswith(topic(), '$')"]],
    ['a filter on $ topics', ['$app/+', '#'], {}, ["FROM '#' WHERE NOT startswith(topic(), '$')", "FROM '$app/+'"]],
    ['no filters', [], {}, []],
  ])('%s', (_, filters, options, expected) => {
    expect(publishRules(filters, options).map(fromAndWhere)).toEqual(expected)
  })

  test('of lifecycle events and acknowledgements', () => {
    const [connected, unsubscribed, acked] = (['client.connected', 'session.unsubscribed', 'message.acked'] as const).map(
      (hook) => rulesOf(hook, [])[0]!.sql,
    )
    expect(connected).toBe("SELECT * FROM '$aws/events/presence/connected/#'")
    expect(unsubscribed).toBe("SELECT * FROM '$aws/events/subscriptions/unsubscribed/#'")
    expect(fromAndWhere(acked!)).toBe("FROM 'acked/#'")
  })
})

describe('refuses a filter that a rule cannot express', () => {
  test.each<[string, string[], RegExp]>([
    ['a single quote', ["it's/+"], /topic filter "it's\/\+" .* it has "'"; wanted no quote/],
    ['a backslash', ['a\\b'], /it has "\\\\"/],
    ['a line break', ['a\nb'], /it has "\\n"/],
    ['eight slashes', ['1/2/3/4/5/6/7/8/9'], /it has 8 slashes; wanted at most 7/],
    ['257 bytes', [`${'ä'.repeat(128)}b`], /it has 257 bytes; wanted at most 256/],
    ['a bracket where a regular expression is needed', ['+/[x', 'a/+'], /"\[" beside "\+" .* tell it from "a\/\+"/],
    ['the ack topic', ['acked/c1'], /"acked\/c1" .* acknowledgements while message.acked is configured/],
    ['all ack topics', ['#', 'acked/#'], /"acked\/#" .* acknowledgements/],
  ])('%s', (_, filters, reason) => {
    expect(() => publishRules(filters, { acks: true })).toThrow(reason)
  })

  const names = <T>(count: number, name: (i: number) => T) => Array.from({ length: count }, (_, i) => name(i))
  test.each<[string, string[], string, RegExp]>([
    [
      'whose rules together would exceed a template',
      names(100, (i) => i).flatMap((i) => [`a${i}/+/${'x'.repeat(200)}`, `+/b${i}/${'x'.repeat(200)}`]),
      expect.stringMatching(/^(a\d+\/\+|\+\/b\d+)\/x/) as never,
      /^its rule must exclude .*, and the 200 rules have \d{7} bytes together; wanted at most 800000, because a template/,
    ],
    [
      'of which a stack would have too many',
      names(151, (i) => `plant/site${i}/telemetry/#`),
      expect.stringMatching(/^plant\/site\d+\/telemetry\/#$/) as never,
      /^it is rule 301 of 302; wanted at most 300, because a stack has at most 500 resources/,
    ],
  ])('%s', (_, filters, filter, message) => {
    expect(publishFaults(filters, { acks: false, durablePrefix: '' })).toEqual([{ filter, message: expect.stringMatching(message) }])
  })

  test('but one statement never exceeds the 256 KB of a rule, whatever it excludes', () => {
    const worst = [...names(299, (i) => `+/${'{'.repeat(250)}${String(i).padStart(3, '0')}`), 'a/+']
    const [longest] = publishRules(worst)
      .map((sql) => Buffer.byteLength(sql))
      .sort((a, b) => b - a)
    expect(longest).toBeGreaterThan(230_000)
    expect(longest).toBeLessThan(250_000)
  })

  test('of any number in a second or so', () => {
    expect(
      publishFaults(
        names(3000, (i) => `+/a/${i}/#`),
        { acks: true, durablePrefix: '' },
      ),
    ).toHaveLength(1)
  })

  test('but takes brackets that need no regular expression', () => {
    expect(publishRules(['a/[x]', 'b/^'])).toHaveLength(2)
  })

  test('and takes acked/# while message.acked is not configured', () => {
    expect(matching(publishRules(['acked/#']).map(compileRule), 'acked/c1')).toHaveLength(1)
  })
})

const name = fc.constantFrom('a', 'b', '', 'acked', '$x', 'a.', '.')
const level = fc.oneof({ weight: 3, arbitrary: name }, { weight: 2, arbitrary: fc.constant('+') })
const filter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  .chain((text) => fc.constantFrom(text, text, text, '#'))
  .filter((text) => text !== '')
const topic = fc.array(name, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'))

test('one rule match per publish (I1): exactly one statement takes a topic that a filter matches, none another', () => {
  fc.assert(
    fc.property(
      fc.array(filter, { maxLength: 6 }),
      fc.array(topic, { maxLength: 20 }),
      fc.boolean(),
      fc.boolean(),
      (filters, topics, acks, durable) => {
        const durablePrefix = durable ? 'a/b/' : ''
        const wanted = filters.filter((each) => !(acks && covers('acked/#', each)) && !(durable && covers('a/b/#', each)))
        const rules = publishRules(wanted, { acks, durablePrefix }).map(compileRule)
        for (const each of topics) {
          const isReserved = (acks && each.startsWith('acked/')) || (durable && each.startsWith('a/b/'))
          const isMessage = wanted.some((one) => topicMatches(one, each)) && !isReserved
          expect([each, matching(rules, each).length]).toEqual([each, isMessage ? 1 : 0])
        }
      },
    ),
    { numRuns: 1000 },
  )
})

describe('filters as sets of topics', () => {
  const takes = (one: string, each: string) => awsFilterMatches(one, each) && !(each.startsWith('$') && /^[+#]/.test(one))

  test('what both filters take makes them overlap, and a covering filter takes all', () => {
    fc.assert(
      fc.property(filter, filter, topic, (a, b, each) => {
        if (takes(a, each) && takes(b, each)) expect(overlaps(a, b)).toBe(true)
        if (covers(a, b) && takes(b, each)) expect(takes(a, each)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})
