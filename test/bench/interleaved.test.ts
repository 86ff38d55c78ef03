import { interleaved, median } from '../../bench/interleaved.ts'

it.each([
  [[3], 3],
  [[3, 1, 2], 2],
  [[10, 1, 2, 3], 2.5],
  [[9, 10, 100], 10],
])('the median of %j is %d', (values, wanted) => {
  expect(median(values)).toBe(wanted)
})

it('refuses a median of nothing', () => {
  expect(() => median([])).toThrow('not one round')
})

describe('competitors', () => {
  const scripted = (name: string, values: number[], turns: string[]) => async (round: number) => {
    turns.push(`${name}${round}`)
    return values[round]!
  }

  it('take turns, and their medians are compared: what a disturbed round measured does not count', async () => {
    const turns: string[] = []
    const { of, ratio } = await interleaved({ ours: scripted('a', [2, 2, 900], turns), floor: scripted('b', [1, 800, 1], turns) }, 3)
    expect(turns).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2'])
    expect(of).toEqual({ ours: 2, floor: 1 })
    expect(ratio('ours', 'floor')).toBe(2)
  })

  it('have no figure where one of them fails', async () => {
    const failing = async () => {
      throw new Error('3 of 4 stored')
    }
    await expect(interleaved({ ours: async () => 1, floor: failing }, 2)).rejects.toThrow('3 of 4 stored')
  })
})
