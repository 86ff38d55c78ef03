import fc from 'fast-check'
import { topicMatches } from '../../../lambda/core/topic.ts'
import { covers, overlaps } from '../../../lib/pipeline/filter-cover.ts'
import { ackRule, lifecycleRule, publishRules } from '../../../lib/pipeline/rule-sql.ts'
import { awsFilterMatches, compileRule, type Rule } from '../../../local/rules/rule-evaluator.ts'

const fromAndWhere = (sql: string) => sql.slice(sql.indexOf(' FROM ') + 1)
const matching = (rules: readonly Rule[], topic: string) =>
  rules.filter((rule) => rule.evaluate({ topic, payload: Buffer.alloc(0), at: 0, uuid: '' }) !== undefined)

describe('the statements of publish filters', () => {
  test.each<[string, string[], { acks?: boolean }, string[]]>([
    ['everything', ['#'], {}, ["FROM '#' WHERE NOT startswith(topic(), '$')"]],
    ['the same filter twice', ['#', '#', '+/#'], {}, ["FROM '#' WHERE NOT startswith(topic(), '$')"]],
    ['a filter that another covers is dropped', ['a/b', 'a/#', 'a/+/c', '#'], {}, ["FROM '#' WHERE NOT startswith(topic(), '$')"]],
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
    expect(lifecycleRule('client.connected')).toBe("SELECT * FROM '$aws/events/presence/connected/#'")
    expect(lifecycleRule('session.unsubscribed')).toBe("SELECT * FROM '$aws/events/subscriptions/unsubscribed/#'")
    expect(fromAndWhere(ackRule())).toBe("FROM 'acked/#'")
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

  test('whose statement would exceed a rule', () => {
    const many = Array.from({ length: 950 }, (_, i) => `+/${'x'.repeat(220)}/${i}`)
    expect(() => publishRules([...many, 'a/+/+'])).toThrow(/topic filter "a\/\+\/\+" .* statement has \d+ bytes/)
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
    fc.property(fc.array(filter, { maxLength: 6 }), fc.array(topic, { maxLength: 20 }), fc.boolean(), (filters, topics, acks) => {
      const wanted = filters.filter((each) => !(acks && covers('acked/#', each)))
      const rules = publishRules(wanted, { acks }).map(compileRule)
      for (const each of topics) {
        const isMessage = wanted.some((one) => topicMatches(one, each)) && !(acks && each.startsWith('acked/'))
        expect([each, matching(rules, each).length]).toEqual([each, isMessage ? 1 : 0])
      }
    }),
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
