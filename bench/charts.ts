/** The charts: which figures are drawn, and what their axes say. */
import type { Figure } from './report.ts'
import type { Results } from './results.ts'
import { svgOf } from './svg-chart.ts'

interface Axes {
  readonly title: string
  readonly x: string
  readonly y: string
}

/** `point.chart` of a figure -> its axes. The file is `docs/charts/<chart>.svg`. One that is not listed is drawn under its own name. */
const AXES: Readonly<Record<string, Axes>> = {
  'publish-cost': { title: 'Write units of a publish of 100 B', x: 'messages queued on the topic', y: 'write units per publish' },
  'publish-payload': { title: 'Write units of a publish, 1,000 queued', x: 'payload (bytes)', y: 'write units per publish' },
  'batch-writes': { title: 'Write units of a message in batches', x: 'publishes in a batch', y: 'write units per message' },
  'batch-requests': { title: 'Requests of a message in batches', x: 'publishes in a batch', y: 'DynamoDB requests per message' },
  'delivery-cost': { title: 'Write units of a delivered message', x: 'messages queued on the topic', y: 'write units per message' },
  'retained-cost': { title: 'Read units of a retained lookup', x: 'retained topics in the table', y: 'read units per lookup' },
}

export const CHARTS_DIRECTORY = 'docs/charts'

/** Chart -> SVG text, of every chart that a figure is a point of. */
export function chartsOf({ blocks }: Results): Map<string, string> {
  const figures = Object.values(blocks).flatMap((block) => block.figures)
  const drawn = new Set(figures.flatMap(({ point }) => (point === undefined ? [] : [point.chart])))
  return new Map([...drawn].sort().map((chart) => [chart, drawing(chart, figures)]))
}

export const titleOf = (chart: string): string => AXES[chart]?.title ?? chart
export const chartFile = (chart: string): string => `${CHARTS_DIRECTORY}/${chart.replaceAll(/[^\w-]+/g, '-')}.svg`

function drawing(chart: string, figures: readonly Figure[]): string {
  const on = figures.filter(({ point }) => point?.chart === chart)
  const axes = AXES[chart] ?? { title: chart, x: 'x', y: on[0]!.unit }
  const names = [...new Set(on.map(({ point }) => point!.series))]
  const series = names.map((name) => ({
    name,
    points: on.filter(({ point }) => point!.series === name).map(({ point, value }) => ({ x: point!.x, y: value })),
  }))
  return svgOf({ ...axes, series })
}
