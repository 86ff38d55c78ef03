/**
 * `mqtt-dynamodb dead-letters` as its user meets it: what it says, what it refuses, its exit status.
 *
 * @seconds 18
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redriveFlags } from '../../cli/dead-letters.ts'
import type { Queue } from '../../local/sqs/queue.ts'
import { ended, NO_CREDENTIALS, read, startMqttDynamodb } from '../support/run-program.ts'
import { queueNamed, type SqsServer, startSqs } from '../support/sqs-server.ts'

const redriveCommand = (...args: string[]) => ended(startRedrive(args))
const startRedrive = (args: readonly string[]) => startMqttDynamodb(['dead-letters', 'redrive', ...args], NO_CREDENTIALS)

test('every flag', () => {
  const hooks = ['--hook', 'message.publish', '--hook=message.acked']
  const where = ['--stack', 'My-Stack', '--outputs', 'package.json', '--region', 'us-gov-west-1', '--endpoint', 'http://localhost:8443']
  expect(read(redriveFlags(), ...hooks, ...where, '--dry-run', '--json')).toEqual({
    hook: ['message.publish', 'message.acked'],
    stack: 'My-Stack',
    outputs: 'package.json',
    region: 'us-gov-west-1',
    endpoint: 'http://localhost:8443',
    dryRun: true,
    json: true,
  })
})

describe('dead-letters redrive', () => {
  let server: SqsServer
  let events: Queue
  let dead: Queue
  let errors: Queue
  let directory: string

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'redrive-'))
    dead = queueNamed('Shop-MessagePublishQueueDeadLettersE49CACAD-AbCdEf123456')
    events = queueNamed('Shop-MessagePublishQueueEventsEA10D4A6-AbCdEf123456')
    errors = queueNamed('Shop-RulesErrorsF50A25A6-AbCdEf123456')
    server = await startSqs([events, dead, errors])
  })
  afterAll(async () => {
    await server.close()
    rmSync(directory, { recursive: true })
  })

  const publish = { topic: 't', clientid: 'c', timestamp: 1, uuid: '7e146a2c-95b5-6caf-98b9-50e3969734c7', payload: 'eC1zZWNyZXQ=' }
  const there = () => ['--endpoint', server.url, '--stack', 'Shop']

  test('says what it did and what stays, and why; JSON tells the same; a second run finds the rest', async () => {
    dead.send(JSON.stringify(publish))
    const stays = dead.send(JSON.stringify({ ...publish, topic: undefined }))
    expect(await redriveCommand(...there(), '--dry-run')).toEqual({
      status: 1,
      err: '',
      out: expect.stringMatching(/^message\.publish: 1 would be redriven\n(?:.*\n)*1 would be redriven, 1 stays\n$/),
    })
    const { status, out, err } = await redriveCommand(...there())
    expect({ status, err }).toEqual({ status: 1, err: '' })
    const [redriven, count, why, total] = out.split('\n')
    expect([redriven, count, total]).toEqual(['message.publish: 1 redriven', 'message.publish: 1 stays', '1 redriven, 1 stays'])
    expect(why).toMatch(
      /^ {2}[0-9a-f-]{36} {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}message\.publish {2}bad-event: bad event: topic is missing, wanted/,
    )
    expect(why).toContain(stays)

    const json = await redriveCommand(...there(), '--json')
    expect([json.status, json.err, json.out.split('\n').length]).toEqual([1, '', 2])
    expect(JSON.parse(json.out)).toMatchObject({
      redriven: 0,
      stays: 1,
      dryRun: false,
      stopped: false,
      queues: [
        { name: 'message.publish', redriven: 0, stays: [{ messageId: stays, hook: 'message.publish', code: 'bad-event' }] },
        { name: 'rule errors', redriven: 0, stays: [] },
      ],
    })
    // I10
    for (const said of [out, json.out]) expect(said).not.toMatch(/eC1zZWNyZXQ|x-secret/)
    dead.done(dead.receive(1)[0]!.receiptHandle)
  })

  test('list says of each letter whether it can be sent again, changes nothing, and hides nothing', async () => {
    const sendable = dead.send(JSON.stringify(publish))
    const stays = dead.send(JSON.stringify({ ...publish, topic: undefined }))
    const sent = events.depth
    const list = (...args: string[]) => ended(startMqttDynamodb(['dead-letters', 'list', ...there(), ...args], NO_CREDENTIALS))
    const { status, out, err } = await list()
    expect({ status, err }).toEqual({ status: 0, err: '' })
    const [count, first, second, total] = out.split('\n')
    expect([count, total]).toEqual(['message.publish: 2', '1 can be sent again, 1 cannot'])
    expect(first).toMatch(new RegExp(`^  ${sendable}  \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z  message\\.publish  can be sent again$`))
    expect(second).toMatch(new RegExp(`^  ${stays}  \\S+  message\\.publish  bad-event: bad event: topic is missing, wanted `))
    expect(JSON.parse((await list('--json')).out)).toEqual({
      queues: [
        {
          name: 'message.publish',
          url: server.urlOf(dead.queueName),
          invisible: 0,
          letters: [
            { messageId: sendable, sentAt: expect.any(Number), hook: 'message.publish' },
            { messageId: stays, sentAt: expect.any(Number), hook: 'message.publish', code: 'bad-event', why: expect.any(String) },
          ],
        },
        { name: 'rule errors', url: server.urlOf(errors.queueName), invisible: 0, letters: [] },
      ],
    })
    const show = (letter: string, ...args: string[]) =>
      ended(startMqttDynamodb(['dead-letters', 'show', letter, ...there(), ...args], NO_CREDENTIALS))
    const shown = await show(stays)
    expect([shown.status, shown.out.split('\n')[0]]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^message.publish: ${stays}, .*cannot be sent again: bad-event`)),
    ])
    expect(JSON.parse((await show(sendable, '--json')).out)).toMatchObject({ messageId: sendable, body: JSON.stringify(publish) })
    expect(await show('none')).toMatchObject({ status: 1, err: expect.stringContaining('letter "none": no queue shows it') })
    expect([dead.visible, dead.inFlight, events.depth]).toEqual([2, 0, sent])
    expect((await list('--hook', 'message.acked')).out).toBe('nothing\n')
    for (const { receiptHandle } of dead.receive(2)) dead.done(receiptHandle)
  })

  test('by the outputs of the stack, with nothing to do', async () => {
    const file = join(directory, 'outputs.json')
    const outputs = {
      MessagePublishQueueUrl: server.urlOf(events.queueName),
      MessagePublishDeadLetterQueueUrl: server.urlOf(dead.queueName),
    }
    writeFileSync(file, JSON.stringify({ Shop: { ...outputs, MqttMsgTableName: 'mqtt_msg' } }))
    expect(await redriveCommand('--endpoint', server.url, '--outputs', file)).toEqual({ status: 0, err: '', out: '0 redriven, 0 stay\n' })
  })

  test('Ctrl-C ends it after the letters in hand', async () => {
    for (let i = 0; i < 200; i++) dead.send(JSON.stringify(publish))
    const redrive = startRedrive([...there(), '--hook', 'message.publish'])
    const before = events.depth
    while (events.depth === before) await new Promise((resolve) => setTimeout(resolve, 1))
    redrive.child.kill('SIGINT')
    const { status, out } = await ended(redrive)
    expect({ status, out }).toEqual({ status: 1, out: expect.stringMatching(/; stopped before the end\n$/) })
    expect(events.depth - before + dead.depth).toBe(200)
    expect(dead.inFlight).toBe(0)
  })

  test.each<[string, () => string[], string]>([
    [
      'a stack that is not there',
      () => ['--endpoint', server.url, '--stack', 'None'],
      `dead-letters redrive: stack None has no queue of a hook at URL: wanted another --stack, --region or --outputs\n`,
    ],
    [
      'an endpoint where nothing is',
      () => ['--endpoint', 'http://127.0.0.1:1'],
      'dead-letters redrive: SQS cannot be reached at http://127.0.0.1:1 (ECONNREFUSED)\n',
    ],
    [
      'no credentials',
      () => [],
      'dead-letters redrive: no AWS credentials: wanted AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n',
    ],
  ])('refuses %s in one line', async (_, args, text) => {
    expect(await redriveCommand(...args())).toEqual({ status: 1, out: '', err: text.replace('URL', server.url) })
  })

  test('a queue of the outputs that is gone', async () => {
    const file = join(directory, 'gone.json')
    writeFileSync(
      file,
      JSON.stringify({ S: { MessagePublishQueueUrl: server.urlOf('a'), MessagePublishDeadLetterQueueUrl: server.urlOf('b') } }),
    )
    const { status, err } = await redriveCommand('--endpoint', server.url, '--outputs', file)
    expect([status, err]).toEqual([1, `dead-letters redrive: there is no queue ${server.urlOf('b')}\n`])
  })
})
