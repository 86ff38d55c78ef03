import fc from 'fast-check'
import {
  checkTopicFilter,
  checkTopicName,
  coveringFilter,
  coversOf,
  firstLevel,
  hasWildcard,
  parseSubscription,
  topicMatches,
} from '../../../lambda/core/topic.ts'

describe('topicMatches', () => {
  test.each([
    ['a', 'a'],
    ['a/b', 'a/b'],
    ['#', 'a'],
    ['#', 'a/b/c'],
    ['#', '/'],
    ['a/#', 'a'],
    ['a/#', 'a/'],
    ['a/#', 'a/b/c'],
    ['+', 'a'],
    ['+/+', '/a'],
    ['/+', '/a'],
    ['+/b', '/b'],
    ['a/+', 'a/'],
    ['a/+/c', 'a//c'],
    ['sport/+/player1/#', 'sport/tennis/player1'],
    ['+/monitor/+', 'a/monitor/b'],
    ['$SYS/#', '$SYS/brokers'],
    ['$SYS/monitor/+', '$SYS/monitor/clients'],
    ['a/$b', 'a/$b'],
    ['+/$b', 'a/$b'],
    ['constructor', 'constructor'],
  ])('%s matches %s', (filter, topic) => expect(topicMatches(filter, topic)).toBe(true))

  test.each([
    ['a', 'b'],
    ['a', 'A'],
    ['a', 'a/'],
    ['a', '/a'],
    ['a/b', 'a'],
    ['a/#', 'b'],
    ['a/#', 'ab'],
    ['+', 'a/b'],
    ['+', '/a'],
    ['a/+', 'a'],
    ['a/+', 'a/b/c'],
    ['a/+/#', 'a'],
    ['#', '$SYS/a'],
    ['+/a', '$SYS/a'],
    ['+', '$SYS'],
    ['$SYS', '$SYS/a'],
  ])('%s does not match %s', (filter, topic) => expect(topicMatches(filter, topic)).toBe(false))

  test('agrees with a naive matcher that turns the filter into a regular expression', () => {
    const level = fc.constantFrom('', 'a', 'b', '$a')
    const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
    const filters = fc
      .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.constantFrom([], ['#']))
      .map(([levels, tail]) => [...levels, ...tail].join('/'))
    fc.assert(
      fc.property(fc.oneof(filters, fc.constant('#')), topics, (filter, topic) => {
        fc.pre(filter !== '' && topic !== '')
        expect(topicMatches(filter, topic)).toBe(naiveMatch(filter, topic))
      }),
      { numRuns: 3000 },
    )
  })
})

function naiveMatch(filter: string, topic: string): boolean {
  const source = filter
    .replaceAll('$', '\\$')
    .replaceAll('+', '[^/]*')
    .replace(/(^|\/)#$/, (_, slash) => (slash ? '(/.*)?' : '.*'))
  return new RegExp(`^${source}$`, 's').test(topic) && !(topic.startsWith('$') && /^[+#]/.test(filter))
}

describe('checkTopicFilter', () => {
  test.each([
    'a',
    '/',
    '//',
    '#',
    '+',
    'a/#',
    '+/+',
    '+/#',
    '/#',
    'a b',
    'ünï/日本',
    '$SYS/#',
    '$share/g/a',
    '$share/g/#',
    '$share/g//',
    '$queue/a',
    '$shared/x',
    'a'.repeat(65_535),
  ])('takes %.40s', (filter) => expect(() => checkTopicFilter(filter)).not.toThrow())

  test.each([
    ['', 'empty'],
    ['a\0b', 'U+0000 at character 2'],
    ['a\ud800', 'surrogate at character 2'],
    ['\udc00', 'surrogate at character 1'],
    ['ü'.repeat(32_768), '65536 bytes'],
    ['a+', 'level 1 is "a+"'],
    ['+a', 'level 1 is "+a"'],
    ['a#', 'level 1 is "a#"'],
    ['a/#b', 'level 2 is "#b"'],
    ['a/##', 'level 2 is "##"'],
    ['a/++', 'level 2 is "++"'],
    ['a/#/b', '"#" as level 2 of 3'],
    ['#/', '"#" as level 1 of 2'],
    ['$share', 'without a filter'],
    ['$share/g', 'without a filter'],
    ['$share//a', 'empty share group'],
    ['$share/+/a', 'share group "+"'],
    ['$share/g#/a', 'share group "g#"'],
    ['$share/g/', 'nothing after "$share/g/"'],
    ['$share/g/a#', 'level 1 is "a#"'],
    ['$queue/', 'nothing after "$queue/"'],
  ])('refuses %.40j: %s', (filter, fault) => {
    expect(() => checkTopicFilter(filter)).toThrow(
      expect.objectContaining({ code: 'bad-topic-filter', message: expect.stringContaining(fault) }),
    )
  })
})

describe('checkTopicName', () => {
  test.each(['a', '/', 'a//b', '$SYS/a', 'a b', '\u{1f600}'])('takes %s', (topic) => expect(() => checkTopicName(topic)).not.toThrow())

  test.each([
    ['', 'empty'],
    ['a\0', 'U+0000 at character 2'],
    ['\ud83d', 'surrogate at character 1'],
    ['a/+', 'a wildcard at character 3'],
    ['a#b', 'a wildcard at character 2'],
    ['a'.repeat(65_536), '65536 bytes'],
  ])('refuses %.40j: %s', (topic, fault) => {
    expect(() => checkTopicName(topic)).toThrow(
      expect.objectContaining({ code: 'bad-topic-name', message: expect.stringContaining(fault) }),
    )
  })
})

test.each([
  ['a/b', { filter: 'a/b' }],
  ['$share/g/a/+', { filter: 'a/+', share: 'g' }],
  ['$share/g//a', { filter: '/a', share: 'g' }],
  ['$queue/a', { filter: 'a', share: '$queue' }],
  ['$share/g', { filter: '$share/g' }],
  ['$shared/g/a', { filter: '$shared/g/a' }],
  ['a/$share/g/b', { filter: 'a/$share/g/b' }],
])('parseSubscription(%s)', (filter, subscription) => expect(parseSubscription(filter)).toEqual(subscription))

test.each([
  ['a/b', 'a/b', false],
  ['#', '#', true],
  ['+', '#', true],
  ['+/x', '#', true],
  ['cmd/42/+/x', 'cmd/42/#', true],
  ['cmd/42/#', 'cmd/42/#', true],
  ['/+', '/#', true],
  ['$SYS/+', '$SYS/#', true],
])('%s lives on the row %s (wildcard: %s)', (filter, row, wildcard) => {
  expect(coveringFilter(filter)).toBe(row)
  expect(hasWildcard(filter)).toBe(wildcard)
})

test.each([
  ['a', ['#', 'a/#']],
  ['a/b/c', ['#', 'a/#', 'a/b/#', 'a/b/c/#']],
  ['/a', ['#', '/#', '/a/#']],
  ['$aws/x', ['$aws/#', '$aws/x/#']],
])('a publish on %s reads the rows %j', (topic, rows) => expect(coversOf(topic)).toEqual(rows))

test('I2 every wildcard filter that matches a topic lives on a row that its publish reads', () => {
  const level = fc.constantFrom('', 'a', 'b', '$a')
  const filters = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.constantFrom('#', '+'))
    .map(([levels, last]) => [...levels, last].join('/'))
  const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  fc.assert(
    fc.property(filters, topics, (filter, topic) => {
      if (topicMatches(filter, topic)) expect(coversOf(topic)).toContain(coveringFilter(filter))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['a', 'a'],
  ['a/b/c', 'a'],
  ['/a', ''],
  ['$SYS/x', '$SYS'],
])('firstLevel(%s) is %j', (topic, root) => expect(firstLevel(topic)).toBe(root))
