/** The table of docs/scale.md: Markdown, from the model. */

import { LIMIT_NAMES } from './limits.ts'
import { count, duration, type Scale, scaleOf } from './scale-report.ts'
import { DEFAULTS, type ScaleWorkload } from './scale-workload.ts'

const TUNED = { retain: 'property', batchWindow: 1, warm: 40_000 } as const
export const CASES: readonly (readonly [flags: string, workload: Partial<ScaleWorkload> & { readonly publishes: number }])[] = [
  ['--publishes 1000', { publishes: 1_000 }],
  ['--publishes 1000 --retain property', { publishes: 1_000, retain: 'property' }],
  ['--publishes 10000', { publishes: 10_000 }],
  ['--publishes 10000 --retain property --batch-window 1 --warm 40000', { publishes: 10_000, ...TUNED }],
  ['--publishes 100000', { publishes: 100_000 }],
  ['--publishes 100000 --retain property --batch 1000 --batch-window 1 --warm 40000', { publishes: 100_000, ...TUNED, batch: 1_000 }],
  [
    '--publishes 100000 --retain property --batch 1000 --batch-window 1 --iot 200000 --table-units 250000 --warm 250000',
    { publishes: 100_000, ...TUNED, batch: 1_000, iot: 200_000, tableUnits: 250_000, warm: 250_000 },
  ],
  ['--publishes 1000 --retain property --hot 1 --hot-share 1', { publishes: 1_000, retain: 'property', hot: { topics: 1, share: 1 } }],
  [
    '--publishes 1000 --retain property --hot 1 --hot-share 1 --shards 4',
    { publishes: 1_000, retain: 'property', hot: { topics: 1, share: 1 }, shards: 4 },
  ],
  ['--publishes 1000 --retain property --clients 1000000', { publishes: 1_000, retain: 'property', clients: 1_000_000 }],
  [
    '--publishes 1000 --retain property --clients 1000000 --connects 100',
    { publishes: 1_000, retain: 'property', clients: 1_000_000, connects: 100 },
  ],
]

export const caseOf = (flags: string): ScaleWorkload => ({ ...DEFAULTS, ...CASES.find(([name]) => name === flags)![1] })

export function asTable(): string {
  const rows = CASES.map(([flags]) => rowOf(flags, scaleOf(caseOf(flags))))
  const head = ['flags', 'breaks, the lowest rate first', 'throttles from', 'waits at most', 'refused', '$ a million']
  return `${[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}

function rowOf(flags: string, { breaks, replayed, dollars }: Scale): string[] {
  const names = breaks.map(
    ({ name, limit, breaksAt: rate }) => `${LIMIT_NAMES[name]} (${limit.ofPublishes ? `${count(rate ?? 0)}/s` : count(limit.has)})`,
  )
  const from = breaks.map(({ name }) => replayed.throttled.get(name)).map((one) => (one === undefined ? '-' : `${one.from} s`))
  const share = replayed.refused / (replayed.refused + replayed.handled + replayed.waiting)
  return [
    `\`${flags}\``,
    names.join('<br>') || 'nothing',
    from.join('<br>') || '-',
    duration(replayed.longestWait),
    share === 0 ? '-' : share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`,
    dollars.toFixed(2),
  ]
}
