/** README.md, docs/performance.md and the charts show what bench/results.json holds, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHARTS_DIRECTORY } from '../../bench/charts.ts'
import { documents, filled, README_FIGURES } from '../../bench/pages.ts'
import type { Figure } from '../../bench/report.ts'
import { asJson, RESULTS_FILE, type Results, readResults } from '../../bench/results.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const results = readResults(join(ROOT, RESULTS_FILE))

describe('what is committed', () => {
  it.each([...documents(ROOT, results)])(
    '%s is what the results give (npm run bench -- --from bench/results.json --plot writes it)',
    (file, text) => {
      expect(read(file)).toBe(text)
    },
  )

  it('no chart is left over', () => {
    const files = readdirSync(join(ROOT, CHARTS_DIRECTORY)).map((name) => `${CHARTS_DIRECTORY}/${name}`)
    expect(files.filter((file) => !documents(ROOT, results).has(file))).toEqual([])
  })

  it('every chart is shown on a page', () => {
    const pages = `${read('README.md')}${read('docs/performance.md')}`
    const charts = [...documents(ROOT, results).keys()].filter((file) => file.endsWith('.svg'))
    expect(charts.filter((file) => !pages.includes(`](${file})`) && !pages.includes(`](${file.replace('docs/', '')})`))).toEqual([])
  })

  it('the results name the machine by what figures depend on', () => {
    expect(read(RESULTS_FILE)).toBe(asJson(results))
    expect(Object.keys(results.machine).sort()).toEqual(['cores', 'cpu', 'memory', 'node'])
    for (const { date, commit } of Object.values(results.blocks)) {
      expect(new Date(date).toISOString()).toBe(date)
      expect(commit).toMatch(/^[0-9a-f]{12}\+?$/)
    }
  })

  it('the README shows the picture and three figures, docs/performance.md the headlines', () => {
    const figures = Object.values(results.blocks).flatMap((block) => block.figures)
    const headlines = figures.filter(({ headline }) => headline).map(({ name }) => name)
    expect(headlines.length).toBeGreaterThan(3)
    for (const name of headlines) expect(read('docs/performance.md')).toContain(`| ${name} |`)
    expect(README_FIGURES.filter((name) => figures.filter((one) => one.name === name).length === 1)).toHaveLength(3)
    for (const name of README_FIGURES) expect(read('README.md')).toContain(`| ${name} |`)
    expect(read('README.md')).toContain(`](${CHARTS_DIRECTORY}/publish-cost.svg)`)
  })
})

describe('a part of a page', () => {
  const figure = (name: string, more: Partial<Figure> = {}): Figure => ({ name, value: 2.1875, unit: 'ms', ...more })
  const small: Results = {
    machine: { cpu: 'CPU', cores: 2, memory: 8, node: 'v20.1.0' },
    blocks: {
      publish: {
        date: '2026-01-02T03:04:05.678Z',
        commit: '0123456789ab',
        figures: [figure('a', { ratio: 1.5, floor: 4, against: 'b|c' })],
      },
      ack: {
        date: '2026-01-03T03:04:05.678Z',
        figures: [figure('d', { headline: true, point: { chart: 'my chart', series: 's', x: 1 }, reached: false, against: 'at most 1' })],
      },
    },
  }
  const part = (name: string) => `before\n<!-- bench:${name} -->\nold\n<!-- /bench -->\nafter\n`
  const within = (page: string) => /-->\n([\s\S]*)\n<!-- \/bench/.exec(page)![1]!

  it('is a table with ratios first, what surrounds it stays', () => {
    const page = filled(part('publish'), small)
    expect(page).toMatch(/^before\n<!-- bench:publish -->\n\| ratio \| figure/)
    expect(page).toContain('| 1.5 x | a | 2.19 ms | b\\|c: 4 ms |  |')
    expect(page).toMatch(/Measured 2026-01-02 at 0123456789ab\.\n<!-- \/bench -->\nafter\n$/)
  })

  it('written twice is the same', () => {
    const once = filled(part('publish') + part('others'), small)
    expect(filled(once, small)).toBe(once)
  })

  it('headlines: of all blocks; missed: said with their bound; others: what has no part of its own', () => {
    expect(
      within(filled(part('headlines'), small))
        .split('\n')
        .slice(2),
    ).toEqual(['|  | d | 2.19 ms | at most 1 | MISSED |'])
    expect(within(filled(part('missed'), small))).toMatch(/^0 of 1 targets are reached\. Missed:/)
    const others = filled(part('publish') + part('others'), small)
    expect(others.match(/### \w+/g)).toEqual(['### ack'])
    expect(others).toContain('![my chart](charts/my-chart.svg)')
  })

  it('machine: and when it was measured last', () => {
    expect(within(filled(part('machine'), small))).toBe('2 cores of CPU, 8 GB, Node 20.1.0; 2026-01-03.')
  })

  it('of a block that was not run says so', () => {
    expect(within(filled(part('later'), small))).toContain('Not measured yet')
  })
})
