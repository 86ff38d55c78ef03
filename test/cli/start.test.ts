import { HELP, parseCommand } from '../../cli/start-flags.ts'

test('defaults', () => {
  expect(parseCommand([])).toEqual({
    host: '127.0.0.1',
    mqttPort: 1883,
    dynamodbPort: 8000,
    dataPort: 8443,
    dynamodb: 'embedded',
    misbehaviour: { duplicate: 0, reorder: 0, delay: 0, throttle: 0, failAction: 0, dropPuback: 0 },
    seed: 1,
    retryAfterMs: 1000,
    verbose: false,
    json: false,
    help: false,
  })
})

test('every flag', () => {
  const ports = ['--mqtt-port', '0', '--dynamodb-port=1', '--data-port', '65535']
  const chances = [
    '--duplicate',
    '0.5',
    '--reorder',
    '1',
    '--delay',
    '0',
    '--throttle',
    '.25'.padStart(4, '0'),
    '--drop-puback',
    '0.1',
    '--fail-action=0.3',
  ]
  const rest = ['--conf', 'c', '--host', '::1', '--data-dir', 'd', '--retry-after', '0.2', '--seed', '7', '--verbose', '--json', '--help']
  expect(parseCommand([...ports, ...chances, ...rest])).toEqual({
    conf: 'c',
    host: '::1',
    mqttPort: 0,
    dynamodbPort: 1,
    dataPort: 65535,
    dynamodb: 'embedded',
    dataDir: 'd',
    misbehaviour: { duplicate: 0.5, reorder: 1, delay: 0, throttle: 0.25, failAction: 0.3, dropPuback: 0.1 },
    seed: 7,
    retryAfterMs: 200,
    verbose: true,
    json: true,
    help: true,
  })
})

test.each([
  ['an unknown flag', ['--loud'], "'--loud'"],
  ['a stray argument', ['x'], "'x'"],
  ['a flag without its value', ['--seed'], '--seed'],
  ['a port that is none', ['--mqtt-port', '65536'], '--mqtt-port is "65536", wanted a whole number from 0 to 65535'],
  ['a fraction of a port', ['--data-port', '1.5'], '--data-port is "1.5"'],
  ['a port in words', ['--dynamodb-port', 'http'], '--dynamodb-port is "http"'],
  ['a probability over 1', ['--duplicate', '1.1'], '--duplicate is "1.1", wanted a probability from 0 to 1'],
  ['a negative probability', ['--delay=-1'], '--delay is "-1"'],
  ['an engine that is none', ['--dynamodb', 'mysql'], '--dynamodb is "mysql", wanted embedded, local or a URL'],
  ['throttling where we do not answer', ['--dynamodb', 'local', '--throttle', '0.1'], '--throttle'],
  ['a negative back-off', ['--retry-after=-1'], '--retry-after'],
])('refuses %s', (_, args, text) => {
  expect(() => parseCommand(args)).toThrow(text)
  try {
    parseCommand(args)
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage', message: expect.not.stringContaining('\n') })
  }
})

test('--help tells every flag', () => {
  const flags =
    'conf host mqtt-port dynamodb-port data-port dynamodb data-dir retry-after verbose json help duplicate reorder delay throttle fail-action drop-puback seed'
  for (const flag of flags.split(' ')) expect(HELP).toContain(`--${flag}`)
})
