import { read } from '../support/run-program.ts'
import { FUZZED, flags } from './fuzz-flags.ts'
import { FUZZ_TARGETS } from './fuzz-targets.ts'

test('takes its flags', () => {
  expect(read(flags(), '--runs', '5', '--seed', '7', '--only', 'json')).toEqual({ runs: 5, seed: 7, only: 'json' })
  expect(read(flags())).toEqual({ runs: 1000 })
})

test('names what there is', () => {
  expect(FUZZ_TARGETS.map(({ name }) => name)).toEqual(Object.keys(FUZZED))
})
