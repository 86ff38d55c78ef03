import { inOneLine } from '../../local/printable.ts'

test.each([
  ['a line break that would forge a line', 'a\nb\r\u2028c', 'a\\u000ab\\u000d\\u2028c'],
  ["what would set a terminal's title", '\u001b]0;x\u0007', '\\u001b]0;x\\u0007'],
  ['the same in one character', '\u009d0;x\u009c', '\\u009d0;x\\u009c'],
  ['what turns the direction of a line', 'a\u202eb\u2066', 'a\\u202eb\\u2066'],
  ['what does not show', 'a\u200b\u{e0041}', 'a\\u200b\\u{e0041}'],
  ['half a character', 'a\ud800', 'a\\ud800'],
  ['text of all kinds, as it is', 'é 水 🙂 "x" \\n', 'é 水 🙂 "x" \\n'],
])('a log line with %s', (_, text, shown) => {
  const lines: string[] = []
  inOneLine((_, line) => lines.push(line))('warn', text)
  expect(lines).toEqual([shown])
})
