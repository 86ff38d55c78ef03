/** `, did you mean "x"?` if one of the words is a slip of the pen away, else nothing. */
export function didYouMean(written: string, words: readonly string[]): string {
  const near = words.map((word) => ({ word, slips: slipsBetween(written.toLowerCase(), word) })).sort((a, b) => a.slips - b.slips)[0]
  return near !== undefined && near.slips <= Math.max(1, Math.floor(near.word.length / 3)) ? `, did you mean "${near.word}"?` : ''
}

/** Levenshtein distance: letters inserted, dropped or changed. */
function slipsBetween(a: string, b: string): number {
  if (a.length > 2 * b.length + 4) return a.length
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
