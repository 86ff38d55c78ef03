/** The console over HTTP: whom it lets in, what it escapes, what it refuses, and what its forms do to the tables. */
import { request } from 'node:http'
import { type OpenConsole, openConsole } from '../../cli/console/open-console.ts'
import { consoleRunOf, flags } from '../../cli/console.ts'
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { endClients, eventually } from '../support/mqtt-client.ts'
import { killPrograms, mqttDynamodb, read, startMqttDynamodb } from '../support/run-program.ts'

let backend: Backend
let reading: OpenConsole
let writing: OpenConsole

beforeAll(async () => {
  backend = await startBackend()
  const options = { host: '127.0.0.1', port: 0, place: backend }
  reading = await openConsole({ ...options, write: false })
  writing = await openConsole({ ...options, write: true })
})
afterAll(async () => {
  killPrograms()
  await reading.close()
  await writing.close()
  await endClients()
  await backend.close()
})

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

interface Asked {
  readonly method?: 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Over raw HTTP, with the headers as they are given. */
function ask(url: string, { method, headers = {}, body }: Asked = {}): Promise<Answer> {
  const { hostname, port, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path: pathname + search, method: method ?? 'GET', agent: false, headers }
    const sent = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (some) => {
        text += some
      })
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
const page = async (name: string) => (await ask(writing.url + name)).text
const form = (url: string, fields: Record<string, string> = {}): Promise<Answer> => {
  const headers = { origin: new URL(url).origin, 'content-type': 'application/x-www-form-urlencoded' }
  return ask(url, { method: 'POST', headers, body: `${new URLSearchParams(fields)}` })
}

describe('refuses', () => {
  const origin = () => new URL(writing.url).origin
  const withToken = () => writing.url

  test.each<[string, () => Promise<Answer>, number]>([
    ['who has no token', () => ask(`${origin()}/`), 404],
    ['who has no token and wants an asset', () => ask(`${origin()}/console.css`), 404],
    ['a wrong token', () => ask(`${origin()}/${'a'.repeat(32)}/`), 404],
    ['the beginning of the token', () => ask(`${withToken().slice(0, -2)}/`), 404],
    ['a name that a page has bound to this address', () => ask(withToken(), { headers: { host: 'attacker.example' } }), 403],
    ['a page of another origin', () => ask(withToken(), { headers: { origin: 'http://attacker.example' } }), 403],
    ['a page of another port', () => ask(withToken(), { headers: { 'sec-fetch-site': 'same-site' } }), 403],
    ['a link of another site', () => ask(withToken(), { headers: { 'sec-fetch-site': 'cross-site' } }), 403],
    ['a form without Origin', () => ask(`${withToken()}publish`, { method: 'POST', body: 'topic=t' }), 403],
    ['a form of a sandboxed page', () => ask(`${withToken()}publish`, { method: 'POST', headers: { origin: 'null' } }), 403],
    [
      'a form without end',
      () => ask(`${withToken()}publish`, { method: 'POST', headers: { origin: origin(), 'content-length': '9999999' } }),
      413,
    ],
  ])('%s', async (_, asked, status) => {
    expect((await asked()).status).toBe(status)
  })

  test.each(['kick?id=a', 'purge?topic=t', 'delete-retained?topic=t', 'redrive', 'publish'])('to write unless it may: %s', async (deed) => {
    const { status, text } = await form(reading.url + deed, { topic: 't' })
    expect([status, /this console only reads/.test(text)]).toEqual([400, true])
  })

  test('to subscribe unless it may write: a subscriber takes messages off their queue', async () => {
    expect((await ask(`${reading.url}try-live?filter=t`)).status).toBe(400)
  })

  test('a host that others reach, in one line with status 2, before it listens', async () => {
    const { status, err } = await mqttDynamodb('console', '--host', '0.0.0.0', '--port', '0')
    expect([status, err]).toEqual([2, expect.stringMatching(/^console: --host is 0\.0\.0\.0, [^\n]*--i-know[^\n]*\n$/)])
    expect(consoleRunOf(read(flags(), '--host', '0.0.0.0', '--i-know'))).toMatchObject({ host: '0.0.0.0', write: false })
  })
})

test('no page may run a script of its own, be framed, ask another host or be shared with another origin', async () => {
  const { headers } = await ask(writing.url)
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  )
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
})

const SCRIPT = '<script>alert(1)</script>'
const HOSTILE = `${SCRIPT}"'\u202e`

test('escapes markup and control characters of client ids, topics and payloads, and links still lead to them', async () => {
  const id = `${HOSTILE}\u001b[2J`
  await backend.put('mqtt_client', { clientid: { S: id }, connect_state: { N: '1' }, online_at: { N: '1' }, offline_at: { N: '0' } })
  await form(`${writing.url}publish`, { topic: `h/${SCRIPT.replace('/', '')}`, payload: `${SCRIPT}\u001b]0;x\u0007\u202e` })
  await backend.idle()
  const query = new URLSearchParams({ id })
  const topic = new URLSearchParams({ topic: `h/${SCRIPT.replace('/', '')}` })
  for (const name of [
    'clients',
    `client?${query}`,
    'queues',
    `queue?${topic}`,
    `queue?${topic}&view=hex`,
    `client?id=${SCRIPT}`,
    `try?${topic}`,
  ]) {
    const text = await page(name)
    expect([name, /<script>(?!<)/.test(text)]).toEqual([name, false])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    expect([name, /[\u0000-\u0008\u000b-\u001f\u007f\u202e]/.test(text)]).toEqual([name, false])
  }
  expect(await page(`client?${query}`)).toContain('\\u001b[2J')
  expect(await page(`queue?${topic}`)).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
})

test('a purge takes messages and their names off, of head and segments, and leaves other topics', async () => {
  for (const payload of Array.from({ length: 40 }, (_, i) => `${i}`)) await form(`${writing.url}publish`, { topic: 'p/1', payload })
  await form(`${writing.url}publish`, { topic: 'p/2', payload: 'other' })
  await backend.idle()
  expect(await page('queue?topic=p%2F1')).toMatch(/<b>40<\/b> wait; 40 publishes/)
  const { headers } = await form(`${writing.url}purge?topic=p%2F1`)
  expect(headers.location).toContain('40+messages+were+purged')
  // I5: no name without a message.
  expect(await backend.rows('mqtt_msg', 'p/1')).toEqual([])
  const rows = await backend.rows('mqtt_topic_msg_map', 'p/1')
  expect(rows.filter(({ MsgId, sealing }) => MsgId !== undefined || sealing !== undefined)).toEqual([])
  expect(await backend.rows('mqtt_msg', 'p/2')).toHaveLength(1)
})

test('a retained message is deleted in IoT Core and in the table', async () => {
  await form(`${writing.url}publish`, { topic: 'r/1', payload: 'on', retain: '1' })
  await eventually('it is retained', async () => (await page('retained')).includes('r/1'))
  await form(`${writing.url}delete-retained?topic=r%2F1`)
  await eventually('it is not', async () => !(await page('retained')).includes('r/1'))
  expect((await fetch(`${backend.dataUrl}/retainedMessage/r/1`)).status).toBe(404)
})

test('a topic that no message can have is refused with what is wrong', async () => {
  const { status, text } = await form(`${writing.url}publish`, { topic: 'a/+', payload: 'x' })
  expect([status, text]).toEqual([400, expect.stringContaining('role="alert"')])
})

test('payloads as text, JSON and hex; what is no UTF-8 is shown in hex', async () => {
  await form(`${writing.url}publish`, { topic: 'v/1', payload: '{"a":[1]}' })
  const { client } = await backend.connect('binary')
  await client.publishAsync('v/2', Buffer.from([0xff, 0x00, 0x41]), { qos: 1 })
  await backend.idle()
  expect(await page('queue?topic=v%2F1&view=json')).toContain('{\n  &quot;a&quot;: [\n    1\n  ]\n}')
  expect(await page('queue?topic=v%2F1&view=hex')).toContain('00000000  7b 22 61')
  expect(await page('queue?topic=v%2F2')).toContain('00000000  ff 00 41')
})

test('the command serves a console, which says in one line when the local run has ended', async () => {
  const nowhere = ['--endpoint', 'http://127.0.0.1:9', '--dynamodb', 'http://127.0.0.1:9', '--mqtt', 'mqtt://127.0.0.1:9']
  const { child, out, status } = startMqttDynamodb(['console', ...nowhere, '--port', '0', '--json'])
  await eventually('it is ready', () => out().endsWith('\n'), 20_000)
  const { console: url, pid } = JSON.parse(out()) as { console: string; pid: number }
  expect(pid).toBe(child.pid)
  for (const [name, why] of [
    ['', 'the local run has ended'],
    ['clients', 'cannot be reached at http://127.0.0.1:9'],
    ['dead-letters', 'cannot be reached at http://127.0.0.1:9'],
  ]) {
    const answer = await ask(url + name)
    expect([name, answer.status >= 400, answer.text.includes(why!)]).toEqual([name, true, true])
  }
  child.kill('SIGTERM')
  expect(await status).toBe(0)
})
