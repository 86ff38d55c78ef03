import { judge, mostInASecond, payloadOf, rateOf } from '../../bench/delivered.ts'

const got = (numbers: readonly number[], topic = 't') =>
  numbers.map((n, i) => ({ clientid: 'c', topic, payload: payloadOf(n), at: i * 10 }))

describe('deliveries of a topic', () => {
  it.each([
    { what: 'all in order', numbers: [0, 1, 2, 3], lost: 0, again: 0 },
    { what: 'begun again where they were cut short', numbers: [0, 1, 2, 1, 2, 3], lost: 0, again: 2 },
    { what: 'the end missing', numbers: [0, 1, 2], lost: 1, again: 0 },
    { what: 'none', numbers: [], lost: 4, again: 0 },
  ])('$what: $lost lost, $again sent again', ({ numbers, lost, again }) => {
    expect(judge('t', [...got(numbers), ...got([9], 'other')], 4)).toEqual({ lost, again })
  })

  it.each([
    { what: 'one left out', numbers: [0, 2, 3] },
    { what: 'two exchanged', numbers: [0, 2, 1, 3] },
    { what: 'one left out after it was begun again', numbers: [0, 1, 0, 2, 3] },
    { what: 'more than there are', numbers: [0, 1, 2, 3, 4] },
  ])('refuses $what', ({ numbers }) => {
    expect(() => judge('t', got(numbers), 4)).toThrow(/topic t/)
  })
})

describe('how fast they came', () => {
  it('is per second, from the first to the last', () => {
    expect(rateOf(got([0, 1, 2, 3, 4]))).toBeCloseTo(100)
  })

  it('is most in the second that holds most, wherever it begins', () => {
    const at = [0, 900, 950, 1100, 1899, 1900, 3000]
    expect(mostInASecond(at)).toBe(4)
  })
})
