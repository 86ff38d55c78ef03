import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..', '..')
const POOL = 'backend.dynamo.pool1.aws_secret_access_key = hidden'
const CONNECTED = 'backend.dynamo.hook.client.connected.1 = {"action": {"function": "on_client_connected"}, "pool": "pool1"}'

/** The command as `npm run -s conf --` runs it. */
const conf = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/tsx'), ['cli/conf.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('npm run -s conf', () => {
  let dir: string
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'conf-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  test('prints the hook table of the default conf as JSON', () => {
    const { status, stdout, stderr } = conf()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      region: 'us-west-2',
      rows: expect.arrayContaining([expect.objectContaining({ action: 'on_message_publish' })]),
    })
  })

  test('reads FILE and what it includes, with warnings on stderr', () => {
    file('pools.conf', POOL)
    const main = file('main.conf', `include pools.conf\n${CONNECTED}\n`)
    const { status, stdout, stderr } = conf(main)
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      pools: { pool1: {} },
      rows: [{ hook: 'client.connected', label: '1', action: 'on_client_connected', pool: 'pool1' }],
    })
    expect(stderr).toBe(
      `${join(dir, 'pools.conf')}:1: warning: backend.dynamo.pool1.aws_secret_access_key is not used: the functions get their rights from IAM roles. Delete the line\n`,
    )
  })

  test('refuses a conf with errors: each on stderr, no table, exit status 1', () => {
    const bad = file('bad.conf', `${POOL}\n${CONNECTED}\nhello\ninclude none.conf\n`)
    const { status, stdout, stderr } = conf(bad)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(`${bad}:3: not a line of a conf file`)
    expect(stderr).toContain(`${bad}:4: cannot read the included file none.conf (ENOENT)`)
    expect(stderr).not.toContain('hidden')
  })

  test.each<[string, BufferEncoding, string]>([
    ['Latin-1', 'latin1', ':3: the character at column 53 is not UTF-8: the file has another encoding, wanted UTF-8'],
    ['UTF-16', 'utf16le', ':1: the file is UTF-16, wanted UTF-8'],
  ])('refuses a conf in %s with one line, exit status 1', (_, encoding, message) => {
    const bad = file('bytes.conf', '')
    const topic = '{"topic": "wärme/#", "action": {"function": "on_message_publish"}, "pool": "pool1"}'
    writeFileSync(
      bad,
      `\ufeff${POOL}\n${CONNECTED}\nbackend.dynamo.hook.message.publish.1 = ${topic}\n`.slice(encoding === 'latin1' ? 1 : 0),
      encoding,
    )
    expect(conf(bad)).toEqual({ status: 1, stdout: '', stderr: `${bad}${message}\n` })
  })

  test.each([
    ['a file that is not there', ['none.conf'], 1, 'conf: cannot read none.conf: ENOENT\n'],
    ['a directory', ['etc'], 1, 'conf: cannot read etc: EISDIR\n'],
    ['an unknown flag', ['--nope'], 2, "conf: Unknown option '--nope' (see --help)\n"],
    ['two files', ['a', 'b'], 2, 'conf: 2 files given, wanted one (see --help)\n'],
  ])('refuses %s with one line', (_, args, status, stderr) => {
    expect(conf(...args)).toEqual({ status, stdout: '', stderr })
  })

  test('explains itself', () => {
    expect(conf('--help')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^Usage: npm run -s conf -- \[FILE\]\n/) })
  })
})
