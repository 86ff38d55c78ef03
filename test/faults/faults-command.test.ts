/** `npm run faults` as a process: a campaign, one case, the list. */
import { ended, runProgram } from '../support/run-program.ts'

jest.setTimeout(120_000)

const faults = async (...args: string[]) => {
  const { status, out } = await ended(runProgram('test/faults/faults-command.ts', args))
  return { status, out }
}
const SCENARIO = ['--scenario', 'publish: stored only']

test('a campaign says what was tried, and that all held', async () => {
  const said = /^1 scenarios of \d+ calls; [1-9]\d* cases on maps, [1-9]\d* calls, \d+ s\nfaults: .*throttled \d+.*\n.*\n0 failed\n$/
  expect(await faults(...SCENARIO, '--pairs', '2')).toEqual({ status: 0, out: expect.stringMatching(said) })
})

test('one case', async () => {
  expect(await faults(...SCENARIO, '--fault', 'throttled@0', '--again', 'a copy')).toEqual({ status: 0, out: 'everything held\n' })
})

test('the list', async () => {
  expect(await faults(...SCENARIO, '--list')).toEqual({
    status: 0,
    out: expect.stringMatching(/^publish: stored only \([1-9]\d* calls\)\n$/),
  })
})
