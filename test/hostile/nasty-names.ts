/** Client ids and topics that are allowed and have a meaning elsewhere: in DynamoDB's expressions, JavaScript's objects, our row keys. */

const EMOJI = '\u{1f980}'
/** Letters of 1 to 4 bytes, and one that sorts behind the surrogates. */
const LETTERS = ['a', '\u00e9', '\u20ac', EMOJI, '\uffee']

export const NASTY_WORDS: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'a.b',
  '.a',
  'a.',
  'a[0]',
  '[0]',
  ':y',
  ':session',
  'live.x',
  'size(live)',
  'session',
  'MsgId',
  'client',
  'server',
  'gone',
  'live0',
  'retain',
  '0',
  '-1',
  'null',
  'undefined',
  'NaN',
  '{"S":"x"}',
  '{}',
  '"',
  "'",
  '\\',
  '\\u0000',
  '%00',
  '%2F',
  '%',
  ' ',
  ' a ',
  '\u0001',
  '\n',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  '\u200b',
  '\u202e',
  '\ufeff',
  '\ue000__proto__',
  'e\u0301',
  '\u00e9',
  EMOJI,
  '<script>',
  '$',
  '*',
  'n/a',
]

/** Text of exactly so many bytes, mostly of several bytes a letter. */
function textOfBytes(bytes: number, letters: readonly string[] = LETTERS): string {
  let text = ''
  for (let i = 0, left = bytes; left > 0; i++) {
    const fits = letters.filter((letter) => Buffer.byteLength(letter) <= left)
    const letter = fits[i % fits.length] ?? 'a'
    text += letter
    left -= Buffer.byteLength(letter)
  }
  return text
}

export const NASTY_CLIENT_IDS: readonly string[] = [
  ...NASTY_WORDS.filter((word) => !word.startsWith('$')),
  '#x',
  '#entry',
  '#',
  '+',
  'a#',
  '/',
  'a/b',
  textOfBytes(128),
  EMOJI.repeat(32),
]

export const NASTY_TOPICS: readonly string[] = [
  ...NASTY_WORDS.filter((word) => !word.startsWith('$')),
  '/',
  '//',
  '/a',
  'a/',
  'a//b',
  '1/2/3/4/5/6/7/8',
  '///////',
  textOfBytes(256),
  `${textOfBytes(62)}/${textOfBytes(62)}/${textOfBytes(62)}/${textOfBytes(61)}/1/2/3`,
  'live/gone',
]

/** Neither MQTT nor UTF-8 can carry these. */
export const IMPOSSIBLE: readonly (readonly [what: string, text: string])[] = [
  ['U+0000', 'a\u0000b'],
  ['U+0000 and the number of a segment', 'a\u00000'],
  ['the key of a spill row', 'a\u0000live0'],
  ['the key of a marker', 'a\u0000gone\u0000c'],
  ['a high surrogate alone', 'a\ud83d'],
  ['a low surrogate alone', '\ude00b'],
  ['surrogates the wrong way round', '\udd80\ud83e'],
]
