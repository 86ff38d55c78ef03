import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flags } from '../../bench/bench-flags.ts'
import { cellsOf, type Figure, tableOf } from '../../bench/report.ts'
import type { Results } from '../../bench/results.ts'
import { CONNECTION } from '../../cli/costs/measured-units.ts'
import { ENGINES_VARIABLE } from '../support/engine-names.ts'
import { read } from '../support/run-program.ts'

const ROOT = join(import.meta.dirname, '..', '..')

test('a block may be named more than once', () => {
  expect(read(flags(['start', 'publish']), '--only', 'publish', '--only', 'start')).toEqual({ only: ['publish', 'start'], port: 0 })
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
    expect(stderr).toMatch(/^bench: --only is "nothing", wanted one of start, [^\n]*publish-units[^\n]*\(see --help\)\n$/)
  })

  it('refuses a file that holds no results: one line, exit status 1', async () => {
    const { status, stderr } = await bench(['--from', 'package.json', '--plot'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^bench: package\.json: [^\n]*wanted what npm run bench -- --json prints\n$/)
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
