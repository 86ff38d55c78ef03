/** What a block of the bench reports, and how people read it. */
export interface BlockOptions {
  readonly quick: boolean
  readonly progress: (line: string) => void
  /** Where DynamoDB Local listens, for the blocks that count capacity. 0: any free port. */
  readonly port: number
}
/** Checks its own result before it reports: one that throws has no figure. */
export type Block = (options: BlockOptions) => Promise<Figure[]>

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is compared with, and how: a competitor measured in the same run, or the bound that it must keep. */
  readonly against?: string
  /** Ours against the competitor, medians of interleaved rounds. */
  readonly ratio?: number
  readonly reached?: boolean
  /** The competitor's own value. */
  readonly floor?: number
  /** Where it is drawn: a chart of charts.ts, a line of it, a place on its axis. */
  readonly point?: { readonly chart: string; readonly series: string; readonly x: number }
  /** Shown at the head of docs/performance.md. */
  readonly headline?: true
}

/** Two values of a ratio that is exact may differ in the last bits. */
const ROUNDING = 1e-9
export const atMost = (bound: number, value: number) => ({ against: `at most ${numberText(bound)}`, reached: value <= bound + ROUNDING })
export const atLeast = (bound: number, value: number) => ({ against: `at least ${numberText(bound)}`, reached: value >= bound - ROUNDING })

/** The bound is the ratio's. */
export const timesAtMost = (bound: number, ratio: number) => ({
  ratio,
  against: `at most ${numberText(bound)} x`,
  reached: ratio <= bound + ROUNDING,
})
export const timesAtLeast = (bound: number, ratio: number) => ({
  ratio,
  against: `at least ${numberText(bound)} x`,
  reached: ratio >= bound - ROUNDING,
})

/** A value without a unit beside a competitor's. */
export const beside = (against: string, floor: number, value: number) => ({ value, unit: '', ratio: value / floor, against, floor })

export const COLUMNS = ['ratio', 'figure', 'measured', 'against', ''] as const

/** A figure as the cells of {@link COLUMNS}. */
export function cellsOf({ name, value, unit, against = '', ratio, reached, floor }: Figure): string[] {
  const competitor = floor === undefined ? against : `${against}${against === '' ? '' : ': '}${numberText(floor)}${unitText(unit)}`
  const verdict = reached === undefined ? '' : reached ? 'reached' : 'MISSED'
  return [ratio === undefined ? '' : `${numberText(ratio)} x`, name, `${numberText(value)}${unitText(unit)}`, competitor, verdict]
}

const unitText = (unit: string): string => (unit === '' || unit.startsWith('/') ? unit : ` ${unit}`)

/** Four digits, thousands set apart. */
const numberText = (value: number): string =>
  Math.abs(value) >= 1000 ? countText(Math.round(value)) : `${Number(value.toPrecision(Math.abs(value) >= 100 ? 4 : 3))}`

export const bytesText = (bytes: number): string => (bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`)
export const countText = (value: number): string => value.toLocaleString('en-US')

export function tableOf(figures: readonly Figure[]): string {
  const table = [COLUMNS as readonly string[], ...figures.map(cellsOf)]
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')
  return table.map((row) => `${line(row).trimEnd()}\n`).join('')
}
