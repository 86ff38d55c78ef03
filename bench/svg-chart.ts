/** A line chart as SVG text: the same bytes for the same figures, legible on a light page and on a dark one. */
import { type Axis, axisOf } from './svg-axis.ts'

export interface Series {
  readonly name: string
  /** In any order. */
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Chart {
  readonly title: string
  /** Each with its unit. */
  readonly x: string
  readonly y: string
  readonly series: readonly Series[]
}

const WIDTH = 760
const HEIGHT = 440
const PLOT = { left: 84, right: WIDTH - 44, top: 84, bottom: HEIGHT - 62 }
/** Grey of text and grid, and colours of lines: each has contrast on white and on near black. */
const INK = '#7d8590'
const COLOURS = ['#2f81f7', '#e5534b', '#2da44e', '#c69026', '#986ee2', '#db61a2']

export function svgOf({ title, x, y, series }: Chart): string {
  const points = series.flatMap((one) => one.points)
  if (points.length === 0) throw new Error(`chart '${title}': no points`)
  const xAxis = axisOf(points.map((point) => point.x))
  const yAxis = axisOf(points.map((point) => point.y))
  const middle = (PLOT.left + PLOT.right) / 2
  const upright = `transform="rotate(-90 20 ${round((PLOT.top + PLOT.bottom) / 2)})"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="13" fill="${INK}">`,
    `<title>${escaped(title)}</title>`,
    text(title, PLOT.left, 26, 'font-size="16" font-weight="600"'),
    ...legend(series),
    ...xGrid(xAxis),
    ...yGrid(yAxis),
    text(x, middle, HEIGHT - 16, 'text-anchor="middle"'),
    text(y, 20, (PLOT.top + PLOT.bottom) / 2, `text-anchor="middle" ${upright}`),
    ...series.flatMap((one, i) => line(one, COLOURS[i % COLOURS.length]!, xAxis, yAxis)),
    '</svg>',
    '',
  ].join('\n')
}

const xPlace = (axis: Axis, value: number): number => PLOT.left + axis.at(value) * (PLOT.right - PLOT.left)
const yPlace = (axis: Axis, value: number): number => PLOT.bottom - axis.at(value) * (PLOT.bottom - PLOT.top)

function line({ points }: Series, colour: string, xAxis: Axis, yAxis: Axis): string[] {
  const places = [...points].sort((a, b) => a.x - b.x).map(({ x, y }) => `${round(xPlace(xAxis, x))},${round(yPlace(yAxis, y))}`)
  const dots = places.map((place) => `<circle cx="${place.replace(',', '" cy="')}" r="3.5" fill="${colour}"/>`)
  return [`<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots]
}

function xGrid(axis: Axis): string[] {
  return axis.ticks.flatMap((tick) => {
    const at = round(xPlace(axis, tick))
    return [gridLine(at, PLOT.top, at, PLOT.bottom), text(tickText(tick), at, PLOT.bottom + 20, 'text-anchor="middle"')]
  })
}

function yGrid(axis: Axis): string[] {
  return axis.ticks.flatMap((tick) => {
    const at = round(yPlace(axis, tick))
    return [gridLine(PLOT.left, at, PLOT.right, at), text(tickText(tick), PLOT.left - 8, at + 4, 'text-anchor="end"')]
  })
}

/** In rows of three, so that names may be as long as a line of a table. */
function legend(series: readonly Series[]): string[] {
  const width = (PLOT.right - PLOT.left) / 3
  return series.flatMap(({ name }, i) => {
    const [left, top] = [PLOT.left + (i % 3) * width, 50 + Math.floor(i / 3) * 20]
    return [
      `<circle cx="${round(left + 5)}" cy="${top - 4}" r="5" fill="${COLOURS[i % COLOURS.length]}"/>`,
      text(name, round(left + 16), top, ''),
    ]
  })
}

const gridLine = (x1: number, y1: number, x2: number, y2: number): string =>
  `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="${INK}" stroke-opacity="0.25"/>`

const text = (said: string, x: number, y: number, attributes: string): string =>
  `<text x="${round(x)}" y="${round(y)}"${attributes === '' ? '' : ` ${attributes}`}>${escaped(said)}</text>`

const tickText = (value: number): string => (Math.abs(value) >= 1000 ? value.toLocaleString('en-US') : `${value}`)
const round = (value: number): number => Math.round(value * 10) / 10
const escaped = (said: string): string =>
  said.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
