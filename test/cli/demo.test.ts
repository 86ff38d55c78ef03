import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

it('npm run demo walks through the page and durable subscriptions, and every check holds', () => {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'demo'], { cwd: ROOT, encoding: 'utf8', timeout: 110_000 })
  expect({
    status,
    said: stdout.trim().split('\n').at(-1),
    failed: /FAILED.*/.exec(stdout)?.[0],
    stderr: status === 0 ? '' : stderr,
  }).toEqual({
    status: 0,
    said: '13 of 13 checks held',
    failed: undefined,
    stderr: '',
  })
}, 120_000)
