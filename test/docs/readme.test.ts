/**
 * What the README says works is what runs here.
 *
 * @slow
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const run = (command: string, ...args: string[]) => spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', timeout: 110_000 })

it('opens with what it is, then the two commands', () => {
  const [title, about, block] = README.split(/\n\n/)
  expect(title).toMatch(/^# .*AWS IoT Core$/)
  expect(about).toContain('emqx_backend_dynamo')
  expect(block).toMatch(/^```bash\nnpm ci && npm start .*\nnpm ci && npm test /)
})

it('npm run demo walks through the page, and every check holds', () => {
  const { status, stdout, stderr } = run('npm', 'run', '-s', 'demo')
  expect({
    status,
    said: stdout.trim().split('\n').at(-1),
    failed: /FAILED.*/.exec(stdout)?.[0],
    stderr: status === 0 ? '' : stderr,
  }).toEqual({
    status: 0,
    said: '9 of 9 checks held',
    failed: undefined,
    stderr: '',
  })
}, 120_000)

it('npx cdk synth writes the template without credentials', () => {
  const output = mkdtempSync(join(tmpdir(), 'synth-'))
  const { status } = run(
    'env',
    '-u',
    'AWS_ACCESS_KEY_ID',
    '-u',
    'AWS_SECRET_ACCESS_KEY',
    'npx',
    'cdk',
    'synth',
    '--quiet',
    '--output',
    output,
  )
  expect(status).toBe(0)
  expect(Object.keys(JSON.parse(readFileSync(join(output, 'MqttBackend.template.json'), 'utf8')).Resources).length).toBeGreaterThan(50)
  rmSync(output, { recursive: true })
}, 120_000)

it.each([
  ['npm start', ['start', '--silent', '--', '--help']],
  ['npm run bench', ['run', '-s', 'bench', '--', '--help']],
  ['npm run soak', ['run', '-s', 'soak', '--', '--help']],
  ['npm run conf', ['run', '-s', 'conf', '--', '--help']],
  ['npm run simulate', ['run', '-s', 'simulate', '--', '--help']],
  ['npm run mutants', ['run', '-s', 'mutants', '--', '--help']],
  ['npm run fuzz', ['run', '-s', 'fuzz', '--', '--help']],
  ['npm run redrive', ['run', '-s', 'redrive', '--', '--help']],
  ['npm run faults', ['run', '-s', 'faults', '--', '--help']],
  ['npm run deploy:try', ['run', '-s', 'deploy:try', '--', '--help']],
  ['npm run smoke', ['run', '-s', 'smoke', '--', '--help']],
  ['npm run costs', ['run', '-s', 'costs', '--', '--help']],
  ['npm run scale', ['run', '-s', 'scale', '--', '--help']],
])('%s explains itself', (_, args) => {
  const { status, stdout } = run('npm', ...args)
  expect(status).toBe(0)
  expect(stdout).toMatch(/^Usage: /)
})
