/** `, did you mean "x"?` if one of the words is a slip of the pen away, else nothing. */
export function didYouMean(written: string, words: readonly string[]): string {
  const similar = words
    .slice(0, MAX_WORDS)
    .filter((word) => word.length <= MAX_LENGTH && Math.abs(word.length - written.length) <= slack(word))
  const near = similar.map((word) => ({ word, slips: slipsBetween(written.toLowerCase(), word) })).sort((a, b) => a.slips - b.slips)[0]
  return near !== undefined && near.slips <= slack(near.word) ? `, did you mean "${near.word}"?` : ''
}

/** A comparison takes the product of both lengths: nobody needs a hint to what is longer, or to one of so many. */
const MAX_LENGTH = 64
const MAX_WORDS = 100

const slack = (word: string): number => Math.max(1, Math.floor(word.length / 3))

/** Levenshtein distance: letters inserted, dropped or changed. */
function slipsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (char === b[j] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length] ?? 0
}
