/**
 * The simulation finds each fault that is built in on purpose. What is run is the command of the README, `npm run mutants`.
 *
 * @slow
 * @seconds 20
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { search } from './mutant-search.ts'
import { MUTANTS } from './mutants.ts'

jest.setTimeout(900_000)

interface Ran {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}
const run = (...args: string[]) =>
  new Promise<Ran>((resolve) => {
    const file = join(import.meta.dirname, 'mutants-command.ts')
    execFile(process.execPath, ['--import', 'tsx', file, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })

describe('npm run mutants', () => {
  let ran: Ran
  beforeAll(async () => {
    ran = await run()
  })

  it.each(MUTANTS.map(({ name }) => name))('finds: %s', (name) => {
    expect(ran.stdout.split('\n').find((line) => line.startsWith(`${name}  `))).toMatch(/^.* {2,}\d+ +\S/)
  })

  it('says that all are found', () => {
    expect({ code: ran.code, stderr: ran.stderr, last: ran.stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      stderr: '',
      last: `${MUTANTS.length} of ${MUTANTS.length} mutants found`,
    })
  })
})

it('a mutant that no history shows survives, and the command fails', async () => {
  const { code, stdout } = await run('--only', 'an acknowledgement that overtakes the name', '--runs', '1')
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/ {2}SURVIVED 1 histories\n0 of 1 mutants found\n$/) })
})

it('refuses a mutant whose code is not there', async () => {
  const gone = { ...MUTANTS[0]!, from: 'code that nobody wrote' }
  await expect(search(gone, { seed: 1, runs: 1 })).rejects.toThrow(/has 0 times what it replaces/)
})
