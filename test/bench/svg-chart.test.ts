import { axisOf, linearAxis, logAxis } from '../../bench/svg-axis.ts'
import { svgOf } from '../../bench/svg-chart.ts'

describe('an axis', () => {
  it.each([
    ['logarithmic where values are far apart', [10, 20_000], [10, 100, 1_000, 10_000]],
    ['with ticks in between where there are few', [20, 820], [20, 50, 100, 200, 500]],
    ['linear where they are near', [2.1, 3.2], [0, 1, 2, 3, 4]],
    ['linear where one is zero', [0, 100], [0, 20, 40, 60, 80, 100]],
    ['of one value', [7], [0, 2, 4, 6, 8]],
    ['of nothing but zeros', [0, 0], expect.arrayContaining([0])],
  ])('%s', (_, values, ticks) => {
    expect(axisOf(values).ticks).toEqual(ticks)
  })

  it('puts values where they belong', () => {
    const [first, middle, last] = [10, 100, 1_000].map(logAxis([10, 1_000]).at)
    expect(middle).toBeCloseTo(0.5, 10)
    expect(first! + last!).toBeCloseTo(1, 10)
    expect([0, 25, 50].map(linearAxis([50]).at)).toEqual([0, 0.5, 1])
  })

  it('holds all of its values', () => {
    for (const values of [
      [3, 17, 999],
      [0.02, 3.2],
      [1, 1e6],
      [-5, 5],
    ]) {
      const places = values.map(axisOf(values).at)
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...places)).toBeLessThanOrEqual(1)
    }
  })
})

describe('a chart', () => {
  const chart = {
    title: 'Write units <of> a "publish" & more',
    x: 'messages queued',
    y: 'write units',
    series: [
      {
        name: 'ours',
        points: [
          { x: 1_000, y: 2.19 },
          { x: 10, y: 2.19 },
        ],
      },
      {
        name: "EMQX's",
        points: [
          { x: 10, y: 2 },
          { x: 1_000, y: 48 },
          { x: 8_713, y: 401 },
        ],
      },
    ],
  }
  const svg = svgOf(chart)
  const attributes = (name: string) => [...svg.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => value!)

  it('says what it shows: title, both axes, each line', () => {
    const said = [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text]) => text)
    expect(said).toEqual(expect.arrayContaining([chart.x, chart.y, 'ours', "EMQX's", '1,000']))
    expect(svg).toContain('<title>Write units &lt;of&gt; a &quot;publish&quot; &amp; more</title>')
  })

  it('is well formed: every element is closed', () => {
    const open: string[] = []
    for (const [, close, name, self] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name)
      else if (!self) open.push(name!)
    }
    expect(open).toEqual([])
  })

  it('draws each point once, a line from left to right', () => {
    const lines = attributes('points').map((line) => line.split(' ').map((place) => place.split(',').map(Number)))
    expect(lines.map((line) => line.length)).toEqual([2, 3])
    for (const line of lines) expect(line.map(([x]) => x!)).toEqual(line.map(([x]) => x!).sort((a, b) => a - b))
    const [, theirs] = lines
    // More write units lie higher, that is nearer to zero.
    expect(theirs!.map(([, y]) => y!)).toEqual(theirs!.map(([, y]) => y!).sort((a, b) => b - a))
  })

  it('stays inside of its frame', () => {
    const [, , width, height] = /viewBox="(\d+) (\d+) (\d+) (\d+)"/.exec(svg)!.slice(1).map(Number)
    expect(Math.max(...attributes('cx').map(Number))).toBeLessThan(width!)
    expect(Math.max(...attributes('cy').map(Number))).toBeLessThan(height!)
    expect(Math.min(...attributes('cx').map(Number), ...attributes('cy').map(Number))).toBeGreaterThan(0)
  })

  it('is the same for the same points in another order', () => {
    const [first, second] = chart.series
    expect(svgOf({ ...chart, series: [{ ...first!, points: [...first!.points].reverse() }, second!] })).toBe(svg)
  })

  it('refuses one without points', () => {
    expect(() => svgOf({ ...chart, series: [] })).toThrow('no points')
  })
})
