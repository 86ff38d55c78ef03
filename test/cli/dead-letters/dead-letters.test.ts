/** `npm run redrive` as its user meets it: what it says, what it refuses, its exit status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HELP, parseCommand } from '../../../cli/dead-letters/redrive-flags.ts'
import { HOOKS } from '../../../lambda/core/hooks.ts'
import type { Queue } from '../../../local/sqs/queue.ts'
import { redriveCommand, startRedrive } from '../../end-to-end/dead-letters-command.ts'
import { queueNamed, type SqsServer, startSqs } from '../../support/sqs-server.ts'

describe('the command line', () => {
  test('defaults', () => {
    expect(parseCommand([])).toEqual({ dryRun: false, json: false, help: false })
  })

  test('every flag', () => {
    const hooks = ['--hook', 'message.publish', '--hook=message.acked']
    const where = ['--stack', 'My-Stack', '--outputs', 'o.json', '--region', 'us-gov-west-1', '--endpoint', 'http://localhost:8443']
    expect(parseCommand([...hooks, ...where, '--dry-run', '--json', '-h'])).toEqual({
      hooks: ['message.publish', 'message.acked'],
      stack: 'My-Stack',
      outputs: 'o.json',
      region: 'us-gov-west-1',
      endpoint: 'http://localhost:8443',
      dryRun: true,
      json: true,
      help: true,
    })
  })

  test.each([
    ['an unknown flag', ['--loud'], "Unknown option '--loud'"],
    ['a stray argument', ['x'], "'x'"],
    ['a flag without its value', ['--stack'], '--stack'],
    ['a flag for the value of another', ['--stack', '--json'], "'--stack' is followed by a dash, wanted a value"],
    ['a stack that cannot be', ['--stack', 'a b'], '--stack is "a b", wanted the name of a CloudFormation stack'],
    ['an empty file', ['--outputs='], '--outputs is "", wanted a file'],
    ['an unknown hook', ['--hook', 'message'], `--hook is "message", wanted one of ${HOOKS.join(', ')}`],
    ['a region that is none', ['--region', 'Oregon'], '--region is "Oregon", wanted a region as us-west-2'],
    ['an endpoint that is no URL', ['--endpoint', 'localhost:8443'], '--endpoint is "localhost:8443", wanted an http(s) URL'],
    ['an endpoint of another kind', ['--endpoint', 'mqtt://x'], '--endpoint is "mqtt://x"'],
  ])('refuses %s', (_, args, text) => {
    expect(() => parseCommand(args)).toThrow(expect.objectContaining({ code: 'usage', message: expect.not.stringContaining('\n') }))
    expect(() => parseCommand(args)).toThrow(text)
  })

  test('--help tells every flag', () => {
    for (const flag of 'stack outputs hook dry-run region endpoint json help'.split(' ')) expect(HELP).toContain(`--${flag}`)
  })
})

describe('the command', () => {
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
    const { child, ended } = startRedrive([...there(), '--hook', 'message.publish'])
    const before = events.depth
    while (events.depth === before) await new Promise((resolve) => setTimeout(resolve, 1))
    child.kill('SIGINT')
    const { status, out } = await ended
    expect({ status, out }).toEqual({ status: 1, out: expect.stringMatching(/; stopped before the end\n$/) })
    expect(events.depth - before + dead.depth).toBe(200)
    expect(dead.inFlight).toBe(0)
  })

  test.each<[string, () => string[], string, number]>([
    ['wrong usage', () => ['--hook', 'x'], `redrive: --hook is "x", wanted one of ${HOOKS.join(', ')} (see --help)\n`, 2],
    [
      'a stack that is not there',
      () => ['--endpoint', server.url, '--stack', 'None'],
      `redrive: stack None has no queue of a hook at URL: wanted another --stack, --region or --outputs\n`,
      1,
    ],
    [
      'outputs that are not there',
      () => ['--outputs', 'none.json'],
      'redrive: --outputs is "none.json", which cannot be read (ENOENT)\n',
      1,
    ],
    [
      'an endpoint where nothing is',
      () => ['--endpoint', 'http://127.0.0.1:1'],
      'redrive: SQS cannot be reached at http://127.0.0.1:1 (ECONNREFUSED)\n',
      1,
    ],
    ['no credentials', () => [], 'redrive: no AWS credentials: wanted AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n', 1],
  ])('refuses %s in one line', async (_, args, text, status) => {
    expect(await redriveCommand(...args())).toEqual({ status, out: '', err: text.replace('URL', server.url) })
  })

  test('a queue of the outputs that is gone', async () => {
    const file = join(directory, 'gone.json')
    writeFileSync(
      file,
      JSON.stringify({ S: { MessagePublishQueueUrl: server.urlOf('a'), MessagePublishDeadLetterQueueUrl: server.urlOf('b') } }),
    )
    const { status, err } = await redriveCommand('--endpoint', server.url, '--outputs', file)
    expect([status, err]).toEqual([1, `redrive: there is no queue ${server.urlOf('b')}\n`])
  })
})
