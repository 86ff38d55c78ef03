/** What cannot be read is one line, which names the folder where a relative path begins. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BackendError } from '../../../lambda/core/errors.ts'
import { readConf } from '../../../lib/conf/conf-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'conf-file-'))
afterAll(() => rmSync(directory, { recursive: true }))

test.each([
  ['a file that is not there', join(directory, 'none.conf'), 'ENOENT'],
  ['a folder', directory, 'EISDIR'],
  ['a relative path', 'none.conf', `ENOENT in ${process.cwd()}`],
])('refuses %s', (_, file, reason) => {
  const refusal = new BackendError('bad-conf', `conf is ${JSON.stringify(file)}, wanted a file that can be read (${reason})`)
  expect(() => readConf(file)).toThrow(refusal)
})
