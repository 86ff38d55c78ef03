import { HELP, parseSoak, replayOf } from './soak-flags.ts'

const DEFAULTS = { clients: 50, topics: 100, publishes: 20_000, kills: 20, restarts: 2, dynamodb: 'embedded', seed: 1 } as const

test('defaults', () => {
  expect(parseSoak([])).toEqual({ ...DEFAULTS, minutesLimit: 30, json: false, help: false })
})

test('the command to replay says all that matters', () => {
  const options = { ...DEFAULTS, clients: 8, topics: 6, publishes: 600, kills: 0, restarts: 1, dynamodb: 'local' as const, seed: 0 }
  const [, flags] = replayOf(options).split(' -- ')
  expect(parseSoak(flags!.split(' '))).toMatchObject(options)
})

test.each([
  ['an unknown flag', ['--loud'], "Unknown option '--loud'"],
  ['a stray argument', ['x'], "'x'"],
  ['a flag without its value', ['--seed'], '--seed'],
  ['no clients', ['--clients', '0'], '--clients is "0", wanted a whole number from 3 to 1000'],
  ['a negative number', ['--publishes=-5'], '--publishes is "-5", wanted a whole number from 1'],
  ['a negative number behind a blank', ['--kills', '-5'], '--kills'],
  ['a fraction', ['--topics', '1.5'], '--topics is "1.5"'],
  ['no publishes', ['--publishes', '0'], '--publishes is "0"'],
  ['a limit of nothing', ['--minutes-limit', '0'], '--minutes-limit is "0", wanted a whole number from 1'],
  ['a seed in words', ['--seed', 'luck'], '--seed is "luck"'],
  ['a seed of more than 32 bits', ['--seed', '4294967296'], '--seed is "4294967296"'],
  ['an engine that is none', ['--dynamodb', 'mysql'], '--dynamodb is "mysql", wanted embedded or local'],
])('refuses %s', (_, args, text) => {
  expect(() => parseSoak(args)).toThrow(text)
  try {
    parseSoak(args)
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage', message: expect.not.stringContaining('\n') })
  }
})

test('no kills and no restarts are no mistake', () => {
  expect(parseSoak(['--kills', '0', '--restarts', '0'])).toMatchObject({ kills: 0, restarts: 0 })
})

test('--help tells every flag', () => {
  for (const flag of ['clients', 'topics', 'publishes', 'kills', 'restarts', 'dynamodb', 'seed', 'minutes-limit', 'json', 'help'])
    expect(HELP).toContain(`--${flag}`)
})
