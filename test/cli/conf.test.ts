import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { here } from '../support/run-program.ts'

const POOL = 'backend.dynamo.pool1.aws_secret_access_key = hidden'
const CONNECTED = 'backend.dynamo.hook.client.connected.1 = {"action": {"function": "on_client_connected"}, "pool": "pool1"}'

const conf = (...args: string[]) => here('conf', ...args)

describe('mqtt-dynamodb conf', () => {
  let dir: string
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'conf-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  test('prints the hook table of the default conf as JSON', async () => {
    const { status, out, err } = await conf()
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({
      region: 'us-west-2',
      rows: expect.arrayContaining([expect.objectContaining({ action: 'on_message_publish' })]),
    })
  })

  test('reads FILE and what it includes, with warnings on stderr', async () => {
    file('pools.conf', POOL)
    const main = file('main.conf', `include pools.conf\n${CONNECTED}\n`)
    const { status, out, err } = await conf(main)
    expect(status).toBe(0)
    expect(JSON.parse(out)).toEqual({
      pools: { pool1: {} },
      rows: [{ hook: 'client.connected', label: '1', action: 'on_client_connected', pool: 'pool1' }],
    })
    expect(err).toBe(
      `${join(dir, 'pools.conf')}:1: warning: backend.dynamo.pool1.aws_secret_access_key is not used: the functions get their rights from IAM roles. Delete the line\n`,
    )
  })

  test('refuses a conf with errors: each on stderr, no table, exit status 1', async () => {
    const bad = file('bad.conf', `${POOL}\n${CONNECTED}\nhello\ninclude none.conf\n`)
    const { status, out, err } = await conf(bad)
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toContain(`${bad}:3: not a line of a conf file`)
    expect(err).toContain(`${bad}:4: cannot read the included file none.conf (ENOENT)`)
    expect(err).not.toContain('hidden')
  })

  test.each<[string, BufferEncoding, string]>([
    ['Latin-1', 'latin1', ':3: the character at column 53 is not UTF-8: the file has another encoding, wanted UTF-8'],
    ['UTF-16', 'utf16le', ':1: the file is UTF-16, wanted UTF-8'],
  ])('refuses a conf in %s with one line, exit status 1', async (_, encoding, message) => {
    const bad = file('bytes.conf', '')
    const topic = '{"topic": "wärme/#", "action": {"function": "on_message_publish"}, "pool": "pool1"}'
    writeFileSync(
      bad,
      `\ufeff${POOL}\n${CONNECTED}\nbackend.dynamo.hook.message.publish.1 = ${topic}\n`.slice(encoding === 'latin1' ? 1 : 0),
      encoding,
    )
    expect(await conf(bad)).toEqual({ status: 1, out: '', err: `${bad}${message}\n` })
  })
})
