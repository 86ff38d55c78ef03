/** A line over time as SVG, without inline style: the content security policy allows none. */
import { html } from 'hono/html'
import type { Html } from './layout.ts'

const [WIDTH, HEIGHT] = [300, 80]

export interface Chart {
  readonly title: string
  readonly unit: string
  readonly values: readonly number[]
  /** Whether every value above 0 is bad. */
  readonly bad?: true
}

export function chart({ title, unit, values, bad }: Chart): Html {
  const most = Math.max(1, ...values)
  const now = values.at(-1)
  const said = now === undefined ? 'no value yet' : `now ${rounded(now)}, at most ${rounded(Math.max(...values))}`
  const x = (i: number) => ((i * WIDTH) / Math.max(1, values.length - 1)).toFixed(1)
  const y = (value: number) => (HEIGHT - 2 - (value * (HEIGHT - 8)) / most).toFixed(1)
  const points = values.map((value, i) => `${x(i)},${y(value)}`).join(' ')
  return html`<figure class="chart${bad && (now ?? 0) > 0 ? ' bad' : ''}">
<figcaption>${title} <b>${now === undefined ? '-' : rounded(now)}</b> <small>${unit}</small></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}: ${said}">
<line x1="0" y1="${HEIGHT - 1}" x2="${WIDTH}" y2="${HEIGHT - 1}"></line>
${values.length > 1 ? html`<polygon points="0,${HEIGHT - 1} ${points} ${WIDTH},${HEIGHT - 1}"></polygon><polyline points="${points}"></polyline>` : ''}
</svg><small class="most">${values.length > 1 ? `at most ${rounded(Math.max(...values))}` : 'collecting'}</small></figure>`
}

const rounded = (value: number): string => (value >= 100 || Number.isInteger(value) ? `${Math.round(value)}` : value.toFixed(1))
