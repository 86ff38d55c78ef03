/**
 * What the README says works is what runs here.
 *
 * @slow
 * @seconds 20
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const SCRIPTS: Record<string, string> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const run = (command: string, ...args: string[]) => spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', timeout: 110_000 })

it('opens with what it is, then the two commands', () => {
  const [title, about, block] = README.split(/\n\n/)
  expect(title).toMatch(/^# .*AWS IoT Core$/)
  expect(about).toContain('emqx_backend_dynamo')
  expect(block).toMatch(/^```bash\nnpm ci && npm start .*\nnpm ci && npm test /)
})

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

/** As npm runs it, without npm's own half second. */
const runScript = (script: string) => {
  const path = `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`
  return spawnSync('sh', ['-c', `${SCRIPTS[script]} --help`], { cwd: ROOT, encoding: 'utf8', env: { ...process.env, PATH: path } })
}
const NOT_OURS = ['synth', 'snapshot', 'lint', 'types', 'test:fast', 'test', 'build', 'api', 'prepack']

it.each(Object.keys(SCRIPTS).filter((script) => !NOT_OURS.includes(script)))('npm run %s explains itself', (script) => {
  const { status, stdout } = runScript(script)
  expect(status).toBe(0)
  expect(stdout).toMatch(/^Usage: /)
})
