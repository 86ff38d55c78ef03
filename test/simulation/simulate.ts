/** Campaigns of histories: `npm run simulate -- --runs N --seed N`. */
import { parseArgs } from 'node:util'
import { runHistory } from './history.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean' }, log: { type: 'boolean' } },
})
const runs = Number(values.runs ?? 200)
const first = Number(values.seed ?? 1)
const started = Date.now()
let bad = 0
let messages = 0
let operations = 0
const kinds = new Map<string, { n: number; seeds: number[]; example: string }>()
for (let seed = first; seed < first + runs; seed++) {
  const outcome = await runHistory(seed, { verbose: runs === 1 })
  messages += outcome.messages
  operations += outcome.operations
  if (outcome.violations.length > 0) bad++
  for (const v of outcome.violations) {
    const kind = v.replace(/#\d+|\bm\d+|\bs\d+|\bn\d|q\d+|a\/\d|\d+/g, '*').replace(/(\*,?\s?)+/g, '* ')
    const k = kinds.get(kind) ?? { n: 0, seeds: [], example: v }
    k.n++
    if (k.seeds.at(-1) !== seed) k.seeds.push(seed)
    kinds.set(kind, k)
  }
  if (values.log || runs === 1) {
    console.log(outcome.log.join('\n'))
    console.log(outcome.violations.join('\n'))
  }
}
for (const [, k] of [...kinds].sort((a, b) => b[1].n - a[1].n))
  console.log(`${k.n} times in ${k.seeds.length} seeds ${k.seeds.slice(0, 6)}: ${k.example}`)
const s = (Date.now() - started) / 1000
console.log(
  `${runs} histories, ${bad} bad, ${messages} messages, ${operations} operations, ${(runs / s).toFixed(1)} histories/s, ${(operations / s).toFixed(0)} ops/s`,
)
