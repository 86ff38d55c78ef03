import { median, slopeOf } from '../../bench/line-fit.ts'

describe('the slope of points', () => {
  it.each([
    {
      what: 'a line',
      points: [
        [0, 3],
        [10, 23],
        [20, 43],
        [40, 83],
      ],
      slope: 2,
    },
    {
      what: 'a constant',
      points: [
        [0, 7],
        [10, 7],
        [40, 7],
      ],
      slope: 0,
    },
    {
      what: 'noise that is even',
      points: [
        [0, 1],
        [0, -1],
        [10, 31],
        [10, 29],
      ],
      slope: 3,
    },
    {
      what: 'a bent line, by least squares',
      points: [
        [0, 0],
        [10, 10],
        [20, 50],
      ],
      slope: 2.5,
    },
  ])('is of $what', ({ points, slope }) => {
    expect(slopeOf(points.map(([x, y]) => ({ x: x!, y: y! })))).toBeCloseTo(slope, 10)
  })

  it('refuses points at one x', () => {
    expect(() =>
      slopeOf([
        { x: 5, y: 1 },
        { x: 5, y: 2 },
      ]),
    ).toThrow('two different x')
    expect(() => slopeOf([])).toThrow('two different x')
  })
})

describe('the median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9], 9.5],
    [[7], 7],
  ])('of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle)
  })

  it('refuses nothing at all', () => {
    expect(() => median([])).toThrow('no median')
  })
})
