/** `npm run platforms` asks registries and starts processes for minutes; here what it is told and what it prints. */
import { read } from '../support/run-program.ts'
import { TRIALS } from './platform-trials.ts'
import { flags, TRIED } from './platforms-flags.ts'
import { type Result, tableOf } from './platforms-table.ts'

test('takes its flags', () => {
  expect(read(flags(), '--node', '22', '--node', '24', '--only', 'demo')).toEqual({ node: ['22', '24'], only: ['demo'] })
  expect(read(flags())).toEqual({})
})

test('refuses a Node that it does not try, and a trial that there is not', () => {
  expect(() => read(flags(), '--node', '18')).toThrow('wanted one of 20, 22, 24')
  expect(() => read(flags(), '--only', 'bun')).toThrow('wanted one of install, start, ')
})

test('tries what it names', () => {
  expect(Object.keys(TRIALS)).toEqual(Object.keys(TRIED))
})

test('the table has a line a trial and a column a Node; a cell tells why', () => {
  const of = (version: string, outcome: Result['outcome'], said?: string): Result => ({ trial: 'demo', version, outcome, seconds: 1, said })
  const results = [of('20.1.0', 'held'), of('22.1.0', 'FAILED', 'npx\n\n said a | b\n'), of('24.1.0', 'skipped', 'no pnpm')]
  expect(
    tableOf([...results, { trial: 'home', version: '24.1.0', outcome: 'held', seconds: 1 }]),
  ).toBe(`|  | Node 20.1.0 | Node 22.1.0 | Node 24.1.0 |
| --- | --- | --- | --- |
| ${TRIED.demo} | held | FAILED: npx said a / b | skipped: no pnpm |
| ${TRIED.home} |  |  | held |
`)
})
