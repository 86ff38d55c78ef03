/** What a block of the bench reports. */
export interface BlockOptions {
  readonly quick: boolean
  readonly progress: (line: string) => void
}
export type Block = (options: BlockOptions) => Promise<Figure[]>

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is compared with, and how: a ratio measured in the same run, or the bound that it must keep. */
  readonly against?: string
  readonly ratio?: number
  readonly reached?: boolean
  /** What should be drawn: x may be on a log scale. */
  readonly point?: { readonly chart: string; readonly series: string; readonly x: number }
  /** The competitor's own value. */
  readonly floor?: number
}

export const atMost = (bound: number, value: number) => ({ against: `at most ${bound}`, reached: value <= bound })
export const atLeast = (bound: number, value: number) => ({ against: `at least ${bound}`, reached: value >= bound })

export function printTable(figures: readonly Figure[]): void {
  const rows = figures.map(({ name, value, unit, against, ratio, reached }) => [
    name,
    `${Number(value.toPrecision(4))} ${unit}`,
    ratio === undefined ? '' : `${ratio.toFixed(2)} x`,
    against ?? '',
    reached === undefined ? '' : reached ? 'reached' : 'MISSED',
  ])
  const table = [['figure', 'measured', 'ratio', 'against', ''], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  for (const row of table)
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd()}\n`,
    )
}
