import { placesOf } from '../../../lambda/adapters/tables/topic-spill.ts'

const ENTRIES = Array.from({ length: 2_000 }, (_, i) => `client-${i}`)

describe('where a client sits among spill rows', () => {
  it('as there come more rows it stays, or moves to the new one; the places before are those it had', () => {
    for (const entry of ENTRIES.slice(0, 200)) {
      const had = new Set<number>()
      for (let rows = 1; rows <= 60; rows++) {
        const places = placesOf(entry, rows)
        const sits = places.at(-1)!
        expect([entry, rows, had.has(sits) || sits === rows - 1]).toEqual([entry, rows, true])
        had.add(sits)
        expect([entry, rows, places]).toEqual([entry, rows, [...had]])
      }
    }
  })

  it('clients spread evenly', () => {
    const counts = new Map<number, number>()
    for (const entry of ENTRIES) {
      const sits = placesOf(entry, 20).at(-1)!
      counts.set(sits, (counts.get(sits) ?? 0) + 1)
    }
    expect(counts.size).toBe(20)
    for (const [row, count] of counts) expect([row, count > 60 && count < 150]).toEqual([row, true])
  })

  it('there is one place where there are no rows yet', () => {
    expect(placesOf('client', 0)).toEqual([0])
  })
})
