import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { FUZZED, fuzzCommand, HELP } from './fuzz-command.ts'
import { FUZZ_TARGETS } from './fuzz-targets.ts'

test.each([
  ['no runs', ['--runs', '0'], '--runs is "0", wanted a whole number from 1 to 999999999'],
  ['runs in words', ['--runs', 'many'], '--runs is "many", wanted'],
  ['a seed in words', ['--seed', 'x'], '--seed is "x", wanted a whole number from 0 to 2147483647'],
  ['a seed too large', ['--seed', '2147483648'], '--seed is "2147483648", wanted'],
  ['a negative seed', ['--seed', '-1'], "Option '--seed' is followed by a dash, wanted a value"],
  ['an unknown target', ['--only', 'constructor'], '--only is "constructor", wanted one of events, names, conf'],
  ['an unknown flag', ['--run', '1'], "Unknown option '--run'"],
])('refuses %s', (_, args, line) => {
  expect(fuzzCommand(args)).toEqual({ wrong: expect.stringContaining(line) })
})

test('takes its flags', () => {
  expect(fuzzCommand(['--runs', '5', '--seed', '7', '--only', 'json'])).toEqual({ runs: 5, seed: 7, only: ['json'] })
  expect(fuzzCommand([])).toMatchObject({ runs: 1000, only: Object.keys(FUZZED) })
  expect(fuzzCommand(['--help'])).toBe('help')
})

test('names what there is', () => {
  expect(FUZZ_TARGETS.map(({ name }) => name)).toEqual(Object.keys(FUZZED))
  for (const { name } of FUZZ_TARGETS) expect(HELP).toContain(name)
})

test('wrong usage is one line on stderr and exit status 2', () => {
  const command = ['--import', 'tsx', join(import.meta.dirname, 'fuzz.ts'), '--runs', '0']
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: 'fuzz: --runs is "0", wanted a whole number from 1 to 999999999 (see --help)\n',
  })
})
