/** Nothing is exported that nobody uses, or that only tests use (knip.config.js). */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

it.each([
  ['by somebody', ['--dependencies', '--exports', '--files']],
  ['by the product', ['--production', '--exports', '--files']],
])('every file and export is used %s', (_, flags) => {
  const { stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/knip'), flags, { cwd: ROOT, encoding: 'utf8' })
  expect(`${stdout}${stderr}`.trim()).toBe('')
})
