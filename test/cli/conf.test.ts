import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { surprisesOf } from '../../cli/conf/surprises.ts'
import { ACTIONS_OF_HOOK, type ActionName, HOOKS, type HookName, type HookRow } from '../../lambda/core/hooks.ts'
import { here } from '../support/run-program.ts'

/** All but the history, which is off. */
const ACTIONS_BY_DEFAULT = new Set(
  Object.values(ACTIONS_OF_HOOK)
    .flat()
    .filter((action) => action !== 'on_message_store' && !action.endsWith('_for_pubsub')),
)
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

  test('--json prints the hook table of the default conf', async () => {
    const { status, out, err } = await conf('--json')
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({
      region: 'us-west-2',
      rows: expect.arrayContaining([expect.objectContaining({ action: 'on_message_publish' })]),
    })
  })

  test('reads FILE and what it includes, with warnings on stderr', async () => {
    file('pools.conf', POOL)
    const main = file('main.conf', `include pools.conf\n${CONNECTED}\n`)
    const { status, out, err } = await conf('--json', main)
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

  test('says in words what the default conf does, row by row', async () => {
    const { status, out, err } = await conf()
    expect({ status, err }).toEqual({ status: 0, err: '' })
    const [rows, surprises] = out.split('\nWhat may surprise you\n')
    expect(rows!.split('\n')[0]).toBe('etc/emqx_backend_dynamo.conf: 10 rows, region us-west-2')
    for (const hook of HOOKS) expect(rows).toMatch(new RegExp(`^When .* \\(${hook.replace('.', '\\.')}\\)$`, 'm'))
    for (const action of ACTIONS_BY_DEFAULT) expect(rows).toMatch(new RegExp(`^  .*\\(${action}\\)$`, 'm'))
    expect(rows).toContain('\nStored messages expire 30 days after they were published.\n')
    expect(surprises!.split('\n').map((line) => line.slice(0, 42))).toEqual([
      '  - message.publish.1: only a subscription',
      '  - message.publish.2, message.publish.3: ',
      '',
    ])
  })

  test('what rows choose is told, and a duration in its largest unit', async () => {
    const row = '{"topic": "t", "qos": 0, "action": {"function": "on_message_publish"}, "pool": "pool1"}'
    const main = file('qos.conf', `${POOL}\nbackend.dynamo.msg.expired_after = 36h\nbackend.dynamo.hook.message.publish.1 = ${row}\n`)
    const { out } = await conf(main)
    expect(out).toContain(
      '\n  on t it is stored in mqtt_msg and put on the queue of its topic, mqtt_topic_msg_map, but what has QoS 0 is not queued (on_message_publish; qos 0)\n',
    )
    expect(out).toMatch(/\nStored messages expire 36 hours after they were published\.\n$/)
  })
})

describe('surprises', () => {
  const row = (hook: HookName, action: ActionName, topic?: string, more: Partial<HookRow> = {}): HookRow => ({
    hook,
    label: '1',
    action,
    pool: 'pool1',
    ...(topic === undefined ? {} : { topic }),
    ...more,
  })
  const publish = (topic: string, more?: Partial<HookRow>) => row('message.publish', 'on_message_publish', topic, more)
  const fetch = (topic: string, more?: Partial<HookRow>) => row('session.subscribed', 'on_message_fetch_for_queue', topic, more)
  const acked = (topic: string) => row('message.acked', 'on_message_acked_for_queue', topic)
  const ENDS = [row('client.disconnected', 'on_client_disconnected'), row('session.unsubscribed', 'on_acked_delete', '#')]
  const surprises = (rows: HookRow[], expiredAfter?: number) =>
    surprisesOf({ pools: {}, rows, ...(expiredAfter === undefined ? {} : { expiredAfter }) })

  test('none: an exact queue that is fetched, acknowledged and reported to its end', () => {
    expect(surprises([publish('a/b'), fetch('a/b'), acked('#'), ...ENDS])).toEqual([])
    expect(surprises([publish('a/b'), fetch('a/#'), acked('+/b'), ...ENDS])).toEqual([])
  })

  test.each<[string, HookRow[], number | undefined, RegExp[]]>([
    [
      'a filter # without expiry',
      [row('message.publish', 'on_message_store', 'tele/#')],
      undefined,
      [/^message\.publish\.1: every message on tele\/# is stored, QoS 0 too/],
    ],
    ['with expiry', [row('message.publish', 'on_message_store', 'tele/#')], 60, []],
    [
      'a queue that nothing fetches',
      [publish('a'), fetch('b'), publish('b'), acked('#'), ...ENDS],
      undefined,
      [/all messages on a are queued, but no row of session\.subscribed/],
    ],
    [
      'one that is fetched in part',
      [publish('a/+'), fetch('a/b'), acked('#'), ...ENDS],
      undefined,
      [/some of the messages on a\/\+ are queued, but no row/, /only a subscription to the exact topic/],
    ],
    [
      'one that is never acknowledged',
      [publish('a'), fetch('a'), ...ENDS],
      undefined,
      [/all messages on a stay queued after they were acknowledged/],
    ],
    [
      'a fetch of nothing',
      [publish('a'), fetch('a'), fetch('b'), acked('#'), ...ENDS],
      undefined,
      [/^session\.subscribed\.1: nothing is queued on b/],
    ],
    ['rows of QoS 0 queue nothing', [publish('a', { qos: 0 })], undefined, []],
    [
      'consumers by wildcard',
      [publish('a/+'), fetch('#'), acked('#'), ...ENDS],
      undefined,
      [/Where all consumers subscribe to a wildcard \(such as a\/\+\)/],
    ],
    [
      'consumers by wildcard that count, without expiry',
      [publish('a/+'), fetch('#', { consumers: 'any' }), acked('#'), ...ENDS],
      undefined,
      [/^message\.publish\.1: "consumers" is any, so wildcard subscribers count\. What they got in the last minutes/],
    ],
    ['the same with expiry', [publish('a/+'), fetch('#', { consumers: 'any' }), acked('#'), ...ENDS], 60, []],
    [
      'nothing is settled',
      [publish('a'), fetch('a', { settle: 'never' }), acked('a'), ...ENDS],
      undefined,
      [/^session\.subscribed\.1: "settle" is never, so what IoT Core delivers/],
    ],
    [
      'no end of subscriptions',
      [publish('a'), fetch('a'), acked('a')],
      undefined,
      [/^There is no row of client\.disconnected and none of session\.unsubscribed/],
    ],
    [
      'native retain',
      [row('message.publish', 'on_message_retain', 's/+')],
      undefined,
      [/^message\.publish\.1: "retain" is native, so IoT Core is asked about every message on s\/\+\. It answers 500 times a second/],
    ],
    ['another retain', [row('message.publish', 'on_message_retain', 's/+', { retain: 'topic' })], undefined, []],
  ])('%s', (_, rows, expiredAfter, wanted) => {
    expect(surprises(rows, expiredAfter)).toEqual(wanted.map((line) => expect.stringMatching(line)))
  })
})
