import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { helpOf, parseCommand } from '../../bench/command-line.ts'
import { cellsOf, type Figure, tableOf } from '../../bench/report.ts'
import type { Results } from '../../bench/results.ts'
import { CONNECTION } from '../../cli/costs/measured.ts'
import { ENGINES_VARIABLE } from '../support/engine-desk.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const BLOCKS = ['start', 'publish', 'retained-units']

describe('flags', () => {
  it.each([
    [[], { only: BLOCKS, quick: false, json: false, save: false, plot: false, port: 0 }],
    [['--only', 'retained-units', '--only', 'start', '--quick'], { only: ['start', 'retained-units'], quick: true }],
    [['--save', '--plot'], { save: true, plot: true }],
    [['--from', 'x.json', '--plot'], { from: 'x.json', plot: true }],
    [['--port', '8000'], { port: 8000 }],
    [['-h'], 'help'],
  ])('%j', (args, wanted) => {
    const command = parseCommand(args, BLOCKS)
    if (wanted === 'help') expect(command).toBe(wanted)
    else expect(command).toMatchObject(wanted as object)
  })

  it.each([
    [['--only', 'nothing'], '--only nothing: no such block, wanted one of start, publish, retained-units'],
    [['--only'], "'--only <value>' argument missing"],
    [['--fast'], "Unknown option '--fast'"],
    [['start'], "Unexpected argument 'start'"],
    [['--port', '99999'], '--port is "99999", wanted a whole number from 0 to 65535'],
    [['--port', 'x'], '--port is "x"'],
    [['--quick', '--save'], '--quick with --save'],
    [['--quick', '--plot'], '--quick with --plot'],
    [['--from', 'x.json', '--save'], '--from with --save'],
    [['--from', 'x.json', '--only', 'start'], '--from with --only'],
  ])('refuses %j', (args, said) => {
    expect(() => parseCommand(args, BLOCKS)).toThrow(said)
  })

  it('the help names every block, in lines that fit a terminal', () => {
    const help = helpOf(Array.from({ length: 20 }, (_, i) => `block-of-figures-${i}`))
    for (let i = 0; i < 20; i++) expect(help).toMatch(new RegExp(`\\bblock-of-figures-${i}\\b`))
    expect(help.split('\n').filter((line) => line.length > 90)).toEqual([])
  })
})

describe('the table', () => {
  const figure: Figure = { name: 'a', value: 12_345.678, unit: '/s', ratio: 21.923, against: 'ours', floor: 0.123456, reached: false }

  it('has the ratio first, then what was measured, beside what, and whether that is enough', () => {
    expect(cellsOf(figure)).toEqual(['21.9 x', 'a', '12,346/s', 'ours: 0.123/s', 'MISSED'])
    expect(cellsOf({ name: 'b', value: 0, unit: 'MB' })).toEqual(['', 'b', '0 MB', '', ''])
  })

  it('has its columns in line', () => {
    const [head, ...rows] = tableOf([figure, { name: 'longer', value: 1, unit: '' }])
      .trimEnd()
      .split('\n')
    for (const row of rows) expect(row.slice(head!.indexOf('measured') - 1, head!.indexOf('measured') + 1)).toMatch(/^ \d$/)
  })
})

/** @param path of programs; default: ours */
async function bench(args: readonly string[], path = process.env.PATH): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/bench.ts', ...args], { cwd: ROOT, env: { ...process.env, PATH: path } })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk.toString()
    })
  }
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { status, ...said }
}

describe('as a process', () => {
  it('refuses an unknown block: one line, exit status 2', async () => {
    const { status, stdout, stderr } = await bench(['--only', 'nothing'])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^bench: --only nothing: no such block, wanted one of start, [^\n]*publish-units[^\n]*\(see --help\)\n$/)
  })

  it('refuses a file of results that is not there: one line, exit status 1', async () => {
    const { status, stderr } = await bench(['--from', 'no-such.json', '--plot'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^bench: no-such\.json: no such file[^\n]*\n$/)
  })

  it('without Java a capacity block has no figure: a line that says so, exit status 1', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'no-java-'))
    const { status, stdout, stderr } = await bench(['--only', 'connection-units', '--json'], empty)
    rmSync(empty, { recursive: true })
    expect(status).toBe(1)
    expect((JSON.parse(stdout) as Results).blocks).toEqual({})
    expect(stderr.match(/^.*failed, no figure.*$/gm)).toEqual([
      expect.stringContaining('connection-units: failed, no figure: DynamoDB Local needs Java 17 or newer'),
    ])
  })

  it('with its port in use: the same', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, resolve))
    const { port } = taken.address() as { port: number }
    const { status, stderr } = await bench(['--only', 'connection-units', '--port', `${port}`])
    await new Promise((resolve) => taken.close(resolve))
    expect(status).toBe(1)
    expect(stderr).toContain(`connection-units: failed, no figure: port ${port} is in use`)
  })

  const local = (process.env[ENGINES_VARIABLE] ?? '').split(',').includes('local')
  const onLocal = local ? it : it.skip
  onLocal(
    'counts the units of a connection, as the calculator of costs takes them',
    async () => {
      const { status, stdout, stderr } = await bench(['--quick', '--only', 'connection-units', '--json'])
      expect(stderr).toMatch(/^\[1\/1\] connection-units: begins$/m)
      expect(status).toBe(0)
      const { figures } = (JSON.parse(stdout) as Results).blocks['connection-units']!
      const steps = ['a connect', 'a SUBSCRIBE to an exact topic, nothing queued', 'a disconnect, one exact subscription']
      const sum = (units: string) => steps.reduce((all, step) => all + figures.find(({ name }) => name === `${units} of ${step}`)!.value, 0)
      expect({ writes: sum('write units'), reads: sum('read units') }).toEqual(CONNECTION)
    },
    60_000,
  )
})
