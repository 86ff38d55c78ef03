/** `, did you mean "x"?` if one of `words` is nearly what was written, else the empty string. */
export function didYouMean(written: string, words: readonly string[]): string {
  const similar = words
    .slice(0, MAX_WORDS)
    .filter((word) => word.length <= MAX_LENGTH && Math.abs(word.length - written.length) <= slack(word))
  const near = similar.map((word) => ({ word, edits: editDistance(written.toLowerCase(), word) })).sort((a, b) => a.edits - b.edits)[0]
  return near !== undefined && near.edits <= slack(near.word) ? `, did you mean "${near.word}"?` : ''
}

/** Comparing two words takes time in proportion to the product of their lengths. Longer words, and words after the 100th, get no hint. */
const MAX_LENGTH = 64
const MAX_WORDS = 100

/** Edits that are still a typing error. */
const slack = (word: string): number => Math.max(1, Math.floor(word.length / 3))

/** Levenshtein distance: letters inserted, deleted or changed. Twelve lines: less than what a package for them would bring to watch over. */
function editDistance(a: string, b: string): number {
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
