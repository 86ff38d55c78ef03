/** What comes in: names, values and bytes as nobody well-meaning would send them. */
import fc from 'fast-check'
import { IMPOSSIBLE, NASTY_CLIENT_IDS, NASTY_TOPICS, NASTY_WORDS } from './nasty-names.ts'

const upTo = (bytes: number) => (text: string) => Buffer.byteLength(text) <= bytes

/** Text of any code points but surrogates, U+0000 and what the pattern takes. */
const textWithout = (pattern: RegExp, maxLength: number) =>
  fc.string({ unit: 'binary', minLength: 1, maxLength }).map((text) => text.replaceAll(pattern, '') || 'x')

/** Client ids that IoT Core takes: at most 128 bytes. */
export const clientIds = fc
  .oneof({ weight: 2, arbitrary: fc.constantFrom(...NASTY_CLIENT_IDS) }, textWithout(/\0/g, 60), joined('', 4))
  .filter((id) => upTo(128)(id) && !id.startsWith('$'))

const level = fc.oneof(fc.constantFrom(...NASTY_WORDS, ''), textWithout(/[\0/+#]/g, 12))
/** Topic names that IoT Core takes: at most 256 bytes and 7 slashes. */
export const topics = fc
  .oneof(
    { weight: 1, arbitrary: fc.constantFrom(...NASTY_TOPICS) },
    fc.array(level, { minLength: 1, maxLength: 8 }).map((all) => all.join('/')),
  )
  .filter((topic) => upTo(256)(topic) && topic !== '' && !topic.startsWith('$'))

function joined(by: string, most: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...NASTY_WORDS), { minLength: 1, maxLength: most }).map((words) => words.join(by))
}

/** Stands in an event for text that JSON.stringify does not write. {@link bodyOf} puts it there. */
const RAW = 'raw text: '
const rawTokens = [
  '1e400',
  '-1e400',
  '-0',
  '0.1',
  '1e-400',
  '9007199254740993',
  '1E21',
  '00',
  'NaN',
  'Infinity',
  'undefined',
  '{',
  '"',
  '[1,]',
]
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
const raw = fc.constantFrom(...rawTokens, deep(10_000), deepObject(10_000), '{"__proto__":{"topic":"t"}}').map((text) => RAW + text)

/** The text of an event in which {@link raw} values stand. */
export const bodyOf = (event: unknown): string => {
  const body = JSON.stringify(event) ?? ''
  return body.replaceAll(/"raw text: ((?:[^"\\]|\\.)*)"/g, (_, text: string) => JSON.parse(`"${text}"`))
}

/** Names of things that cannot be, or are far too long. */
export const badNames = fc.oneof(
  fc.constantFrom(...IMPOSSIBLE.map(([, text]) => text)),
  fc.constantFrom('', '#/a', 'a+', 'a#', '$share//x', '$share/g/', '$share/g', '$queue/', '$share/+/x', '+', '#'),
  fc.constantFrom(300, 2_000, 70_000).map((length) => 'x'.repeat(length)),
  fc.constantFrom(129, 1_025, 2_049).map((length) => '\u20ac'.repeat(length)),
)

/** Filters that mean something, or nothing. */
export const filters = fc.oneof(
  fc.constantFrom('#', '+', 'a/+', 'a/#', '$share/g/a', '$share/g/#', '$queue/x', '$share/g/$queue/x', '$aws/events/#', '/', '+/+'),
  topics,
  topics.map((topic) => `$share/g/${topic}`),
  badNames,
)

const number = fc.oneof(
  fc.constantFrom(-1, 0, -0, 1.5, 2 ** 53, 2 ** 63, 8_640_000_000_000_000, 8_640_000_000_000_001, 1e308, 1_800_000_000, 1),
  fc.double(),
  fc.integer(),
)

/** Anything in the place of anything; what is text holds the secret. */
export const valuesWith = (secret: string): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(null, true, false, '', [], {}, [[]], secret, Buffer.from(secret).toString('base64')) },
    { weight: 2, arbitrary: number },
    { weight: 2, arbitrary: raw },
    badNames,
    fc.constantFrom({ ['__proto__']: { topic: secret } }, { constructor: { prototype: { topic: secret } } }, { toString: null }, [
      { ['__proto__']: secret },
    ]),
    fc.constantFrom([{ a: secret, b: secret }], [{ a: 1 }], [secret], [{ 'a\0': secret }], [{ a: '\ud800' }], { length: 1 }),
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(2_000, 100_000, 300_000, 500_000).map((length) => secret + 'x'.repeat(length)),
  )
