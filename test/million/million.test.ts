/**
 * What `npm run million` measures, on tables of a five-hundredth: requests do not grow with them.
 *
 * @slow
 * @seconds 30
 */
import { measureAt } from './measure-commands.ts'

jest.setTimeout(300_000)

test("the operators' commands keep their bounds: requests, cost said first, memory", async () => {
  const { rows, measured } = await measureAt(
    0.002,
    () => {},
    () => {},
  )
  expect(rows).toBeGreaterThan(2_000 + 6_000 + 200 + 125)
  expect(measured.map(({ command, faults }) => ({ command, faults }))).toEqual(measured.map(({ command }) => ({ command, faults: [] })))
})
