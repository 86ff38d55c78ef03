/** What every command does with wrong use: one line that says what was got and what is wanted, exit status 2, nothing done. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { flags as benchFlags } from '../../bench/bench-flags.ts'
import { programFor } from '../../cli/command-line/all-commands.ts'
import type { Reader } from '../../cli/command-line/values.ts'
import { HOOKS } from '../../lambda/core/hooks.ts'
import { flags as faultsFlags } from '../faults/faults-flags.ts'
import { FUZZED, flags as fuzzFlags } from '../hostile/fuzz-flags.ts'
import { millionFlags } from '../million/million-flags.ts'
import { flags as platformsFlags } from '../package/platforms-flags.ts'
import { flags as releaseCheckFlags } from '../package/release-check-flags.ts'
import { mutantsFlags, simulateFlags } from '../simulation/simulation-flags.ts'
import { flags as soakFlags } from '../soak/soak-flags.ts'
import { ended, here, mqttDynamodb, runHere, runProgram } from '../support/run-program.ts'

const SUBSCRIPTIONS = ['subscriptions list', 'subscriptions add', 'subscriptions del']
const OPERATE = [
  'clients list',
  'clients show',
  'clients kick',
  ...SUBSCRIPTIONS,
  'queues list',
  'queues show',
  'messages list',
  'messages show',
]
const MORE = [
  'messages purge',
  'messages send',
  'messages replay',
  'retained list',
  'retained show',
  'retained put',
  'retained delete',
  'retained export',
  'retained import',
  'dead-letters list',
  'dead-letters show',
  'dead-letters redrive',
  'smoke',
  'costs',
  'scale',
  'init',
  'template',
]
const NAMES = ['start', 'console', 'demo', 'conf', 'status', 'doctor', ...OPERATE, ...MORE]

/** Programs for who works on this repository: npm run NAME. */
const SCRIPTS: Readonly<Record<string, () => CommandUnknownOpts>> = {
  bench: () => benchFlags(['start', 'publish']),
  faults: faultsFlags,
  fuzz: fuzzFlags,
  million: millionFlags,
  mutants: mutantsFlags,
  platforms: platformsFlags,
  'release:check': releaseCheckFlags,
  simulate: simulateFlags,
  soak: soakFlags,
}

const run = (name: string, ...args: string[]) => (name in SCRIPTS ? runHere(SCRIPTS[name]!(), args) : here(...name.split(' '), ...args))

/** Wrong use of a command, and its line without the command's name in front and the hint at the end. */
const refuses = async (name: string, args: readonly string[], line: string) =>
  expect([args, await run(name, ...args)]).toEqual([args, { status: 2, out: '', err: `${name}: ${line} (see --help)\n` }])

async function commandNamed(name: string): Promise<CommandUnknownOpts> {
  if (name in SCRIPTS) return SCRIPTS[name]!()
  const find = (command: CommandUnknownOpts, [first, ...more]: readonly string[]): CommandUnknownOpts =>
    first === undefined ? command : find(command.commands.find((one) => one.name() === first)!, more)
  return find(await programFor([]), name.split(' '))
}

/** The flags that take a value, with what they want. */
async function valuesOf(name: string): Promise<{ flag: string; wanted: string }[]> {
  const { options } = await commandNamed(name)
  return options
    .filter(({ required }) => required)
    .map(({ long, parseArg }) => ({ flag: long!, wanted: (parseArg as unknown as Reader<unknown>).wanted }))
}

test('these are all commands', async () => {
  const namesIn = (command: CommandUnknownOpts, path: string): string[] =>
    command.commands.length === 0 ? [path] : command.commands.flatMap((one) => namesIn(one, `${path} ${one.name()}`.trim()))
  expect(namesIn(await programFor([]), '')).toEqual(NAMES)
})

describe.each([...NAMES, ...Object.keys(SCRIPTS)])('%s', (name) => {
  test('an unknown flag', async () => {
    const { err } = await run(name, '--xylophone')
    const flags = (await commandNamed(name)).options.map(({ long }) => long)
    expect(err).toBe(`${name}: unknown flag "--xylophone", wanted one of ${['--help', ...flags].join(', ')} (see --help)\n`)
  })

  test('a misspelt flag is told the nearest', async () => {
    // --client is as near as --clients.
    for (const { long } of [...(await commandNamed(name)).options, { long: '--help' }])
      expect(await run(name, `${long}x`)).toEqual({
        status: 2,
        out: '',
        err: expect.stringMatching(
          new RegExp(`^${name}: unknown flag "${long}x", did you mean (one of )?([^?]*, )?${long}(, [^?]*)?\\? \\(see --help\\)\n$`),
        ),
      })
  })

  test('a flag without its value', async () => {
    for (const { flag, wanted } of await valuesOf(name)) await refuses(name, [flag], `${flag} has no value, wanted ${wanted}`)
  })

  test('numbers out of their range, and what is no number', async () => {
    for (const { flag, wanted } of await valuesOf(name)) {
      const [, min, max] = /^a (?:whole )?number from (\S+) to (\S+)$/.exec(wanted) ?? []
      if (max === undefined) continue
      const wrong = ['', 'x', '-1', '1.5.5', '0x10', `${Number(max) + 1}`, ...(Number(min) > 0 ? [`${Number(min) - 1}`] : [])]
      if (wanted.startsWith('a whole number')) wrong.push(`${Number(min) + 0.5}`)
      for (const got of wrong) await refuses(name, [`${flag}=${got}`], `${flag} is "${got}", wanted ${wanted}`)
    }
  })

  test('a file that is not there', async () => {
    for (const { flag, wanted } of await valuesOf(name))
      if (wanted === 'a file') {
        await refuses(name, [flag, 'none.txt'], `${flag} is "none.txt", wanted a file that can be read (ENOENT)`)
        await refuses(name, [flag, 'etc'], `${flag} is "etc", wanted a file that can be read (EISDIR)`)
      }
  })

  if (
    !['conf', 'init'].includes(name) &&
    !/ (show|kick|purge|add|del|send|replay|put|delete|import)$|^(messages|subscriptions) list/.test(name)
  )
    test('a stray argument', async () => {
      await refuses(name, ['stray'], 'unexpected "stray", wanted flags only')
    })

  test('explains itself', async () => {
    const { status, out, err } = await run(name, '--help')
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(new RegExp(`^Usage: ${name in SCRIPTS ? `npm run ${name} --` : `mqtt-dynamodb ${name}`} \\[options\\]`))
    // Broken lines are no difference.
    const told = out.replaceAll(/\s+/g, ' ')
    for (const { flag, wanted } of await valuesOf(name)) expect([flag, told]).toEqual([flag, expect.stringContaining(`(${wanted}`)])
    for (const status of ['0', '2']) expect(told).toMatch(new RegExp(`Exit status: .*${status} `))
  })
})

const REGION = ['--region', 'us-west-2']
const ONE = ['--publishes', '1']

test.each<[string, string[], string]>([
  ['start', ['--host', ''], '--host is "", wanted an address or a host name'],
  ['start', ['--data-dir', '--json'], '--data-dir is "--json", wanted a directory, not beginning with a dash'],
  ['start', ['--dynamodb', 'mysql'], '--dynamodb is "mysql", wanted embedded, local or a URL'],
  ['start', ['--dynamodb', 'local', '--throttle', '0.1'], '--throttle is given with --dynamodb local, wanted the embedded engine with it'],
  ['demo', ['--dynamodb', 'mysql'], '--dynamodb is "mysql", wanted embedded or local'],
  ['conf', ['none.conf'], 'FILE is "none.conf", wanted a file that can be read (ENOENT)'],
  ['conf', ['etc'], 'FILE is "etc", wanted a file that can be read (EISDIR)'],
  ['conf', ['package.json', 'b'], '2 values given ("package.json" "b"), wanted one FILE'],
  ['dead-letters redrive', ['--stack', 'a b'], '--stack is "a b", wanted the name of a CloudFormation stack'],
  ['dead-letters redrive', ['--stack', '--json'], '--stack is "--json", wanted the name of a CloudFormation stack'],
  ['dead-letters redrive', ['--hook', 'message'], `--hook is "message", wanted one of ${HOOKS.join(', ')}`],
  ['dead-letters list', ['--region', 'Oregon'], '--region is "Oregon", wanted a region such as us-west-2'],
  ['dead-letters list', ['--endpoint', 'localhost:8443'], '--endpoint is "localhost:8443", wanted an http(s) URL'],
  ['dead-letters list', ['--endpoint', 'mqtt://x'], '--endpoint is "mqtt://x", wanted an http(s) URL'],
  ...['clients show', 'clients kick', 'subscriptions list'].map((name): [string, string[], string] => [
    name,
    [''],
    'CLIENT is "", wanted a client id of 1 to 2048 bytes',
  ]),
  ...['queues show', 'messages list', 'messages purge', 'retained show'].map((name): [string, string[], string] => [
    name,
    ['x'.repeat(2049)],
    `TOPIC is "${'x'.repeat(2049)}", wanted a topic of 1 to 2048 bytes`,
  ]),
  ['subscriptions del', ['c', ''], 'FILTER is "", wanted a topic filter of 1 to 1024 bytes'],
  ['messages show', [''], 'MSGID is "", wanted a message id of 1 to 2048 bytes'],
  ['messages replay', ['', '--to', 'c'], 'TOPIC|MSGID is "", wanted a topic or a message id of 1 to 2048 bytes'],
  ['clients list', ['--online', '--offline'], '--offline cannot be used with --online'],
  ...['garbage', 'MQ', 'W10'].map((place): [string, string[], string] => [
    'retained list',
    ['--after', place],
    `--after is "${place}", wanted what the list before printed`,
  ]),
  ['smoke', [], '--region is missing, wanted the region of the stack'],
  ['smoke', ['--data', 'no host'], '--data is "no host", wanted a host name or an http(s) URL without a path'],
  ['smoke', ['--iot', 'iot.example'], '--iot is "iot.example", wanted a URL of http:// or https:// without a path'],
  ['smoke', ['--dynamodb', 'http://h/path'], '--dynamodb is "http://h/path", wanted a URL of http:// or https:// without a path'],
  ['smoke', [...REGION, '--key', 'package.json'], '--cert is missing, wanted the certificate of --key'],
  ['smoke', [...REGION, '--cert', 'package.json'], '--key is missing, wanted the private key of --cert'],
  ['smoke', ['--prefix', 'a b'], '--prefix is "a b", wanted letters, digits, "_", "-" and ".", at most 237'],
  ...['http://h', 'wss://h/other'].map((url): [string, string[], string] => [
    'smoke',
    ['--mqtt', url],
    `--mqtt is "${url}", wanted a URL of mqtt:// or mqtts:// without a path, or of ws:// or wss:// with /mqtt`,
  ]),
  ['costs', [], '--publishes is missing, wanted a number of publishes a month'],
  ['costs', ['--publishes', '1e99'], '--publishes is "1e99", wanted a number from 0 to 1e15'],
  ['costs', ['--retain', 'never'], '--retain is "never", wanted one of native, property, topic'],
  ['costs', [...ONE, '--emqx-nodes', '3'], '--emqx-nodes is given without --emqx-node-monthly, wanted both'],
  ['costs', [...ONE, '--emqx-node-monthly', '3'], '--emqx-node-monthly is given without --emqx-nodes, wanted both'],
  ['scale', [], '--publishes is missing, wanted a number of publishes a second'],
  ['scale', ['--retain', 'never'], '--retain is "never", wanted one of native, property, topic'],
  ['scale', [...ONE, '--hot', '3'], '--hot stands alone, wanted --hot and --hot-share together'],
  ['scale', [...ONE, '--hot-share', '1'], '--hot-share stands alone, wanted --hot and --hot-share together'],
  ['scale', [...ONE, '--hot', '3', '--hot-share', '1', '--topics', '2'], '--hot is "3", wanted at most the 2 of --topics'],
  ['scale', [...ONE, '--hot', '3', '--hot-share', '1', '--zipf', '1'], '--hot cannot be used with --zipf'],
  ['scale', [...ONE, '--batch', '100'], '--batch 100 is more than 10, wanted --batch-window of at least 1 with it'],
  ['scale', ['--table', ...ONE], '--table cannot be used with --publishes'],
  ['bench', ['--only', 'nothing'], '--only is "nothing", wanted start or publish'],
  ['bench', ['--quick', '--save'], '--quick cannot be used with --save'],
  ['bench', ['--quick', '--plot'], '--quick cannot be used with --plot'],
  ['console', ['--mqtt', 'http://localhost:1883'], '--mqtt is "http://localhost:1883", wanted an mqtt URL'],
  ['console', ['--host', '192.0.2.1'], '--host is 192.0.2.1, which other machines may reach, wanted a loopback address, or --i-know'],
  ['bench', ['--from', 'package.json', '--save'], '--from cannot be used with --save'],
  ['bench', ['--from', 'package.json', '--only', 'start'], '--from cannot be used with --only'],
  ['faults', ['--engine', 'nothing'], '--engine is "nothing", wanted one of maps, embedded, local'],
  ['faults', ['--scenario', 'no such'], '--scenario is "no such", wanted a part of a name that --list shows'],
  ['faults', ['--fault', 'throttled'], '--fault is "throttled", wanted a fault and the number of a call'],
  ['fuzz', ['--only', 'constructor'], `--only is "constructor", wanted one of ${Object.keys(FUZZED).join(', ')}`],
  ['mutants', ['--only', 'nonsense'], '--only is "nonsense", wanted a part of a mutant\'s name'],
  ['simulate', ['--seed', 'x'], '--seed is "x", wanted a whole number, or SEED/SCHEDULE/STEPS/WITHOUT as a failed history prints it'],
  ['soak', ['--dynamodb', 'mysql'], '--dynamodb is "mysql", wanted embedded or local'],
])('%s refuses %j', refuses)

test.each([
  [
    'faults',
    'test/faults/faults-command.ts',
    ['--fault', 'throttled@0'],
    /^faults: --scenario chooses \d+ scenarios, wanted one, to replay a case \(see --help\)\n$/,
  ],
  [
    'simulate',
    'test/simulation/simulate-command.ts',
    ['--seed', '1/2', '--runs', '9'],
    /^simulate: --runs is given with --seed 1\/2\/\/, wanted a whole number \(see --help\)\n$/,
  ],
  [
    'mutants',
    'test/simulation/mutants-command.ts',
    ['--runs', '0'],
    /^mutants: --runs is "0", wanted a whole number from 1 to 999999999 \(see --help\)\n$/,
  ],
  [
    'fuzz',
    'test/hostile/fuzz-command.ts',
    ['--runs', '0'],
    /^fuzz: --runs is "0", wanted a whole number from 1 to 999999999 \(see --help\)\n$/,
  ],
])('%s as a process refuses with exit status 2', async (_, program, args, line) => {
  const said = await ended(runProgram(program, args))
  expect(said).toEqual({ status: 2, out: '', err: expect.stringMatching(line) })
})

describe('mqtt-dynamodb', () => {
  test.each([
    ['cots', 'did you mean costs?'],
    ['stat', 'did you mean start?'],
    [
      'constructor',
      'wanted one of start, console, demo, conf, status, doctor, clients, subscriptions, queues, messages, retained, dead-letters, smoke, costs, scale, init, template',
    ],
  ])('an unknown command: %s', async (got, hint) => {
    await expect(here(got)).resolves.toEqual({ status: 2, out: '', err: `mqtt-dynamodb: unknown command "${got}", ${hint} (see --help)\n` })
  })

  test('an unknown command of dead letters', async () => {
    const err = 'dead-letters: unknown command "redrve", did you mean redrive? (see --help)\n'
    await expect(here('dead-letters', 'redrve')).resolves.toEqual({ status: 2, out: '', err })
  })

  test.each([[[]], [['dead-letters']]])('without a command its help is the answer, on stderr: %j', async (args) => {
    await expect(here(...args)).resolves.toEqual({
      status: 2,
      out: '',
      err: expect.stringMatching(/^Usage: mqtt-dynamodb .*\[command\]\n/),
    })
  })

  test('--help names every command, --version the version', async () => {
    const { status, out } = await here('--help')
    expect(status).toBe(0)
    for (const name of NAMES) expect(out).toMatch(new RegExp(`^  ${name.split(' ')[0]} `, 'm'))
    await expect(here('--version')).resolves.toEqual({ status: 0, out: '0.2.0\n', err: '' })
  })

  test('as a process: exit status and output are the same', async () => {
    const err = 'start: --seed is "x", wanted a whole number from 0 to 4294967295 (see --help)\n'
    await expect(mqttDynamodb('start', '--seed', 'x')).resolves.toEqual({ status: 2, out: '', err })
  })
})

test('a data directory is not made where another flag is wrong', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'start-'))
  const directory = join(parent, 'data')
  await refuses('start', ['--data-dir', directory, '--seed', 'x'], '--seed is "x", wanted a whole number from 0 to 4294967295')
  const together = '--throttle is given with --dynamodb local, wanted the embedded engine with it'
  await refuses('start', ['--data-dir', directory, '--dynamodb', 'local', '--throttle', '1'], together)
  expect(existsSync(directory)).toBe(false)
  rmSync(parent, { recursive: true })
})
