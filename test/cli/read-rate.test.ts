/** How fast `--top` and `retained export` read the tables of a stack, with a stand-in for CloudWatch. */
import { type Backend, startBackend } from '../end-to-end/backend.ts'
import { ended, killPrograms, startMqttDynamodb } from '../support/run-program.ts'
import { type Answers, type ControlPlanes, startControlPlanes } from './control-planes.ts'

let backend: Backend
let planes: ControlPlanes
beforeAll(async () => {
  backend = await startBackend()
  planes = await startControlPlanes()
})
afterAll(async () => {
  killPrograms()
  await planes.close()
  await backend.close()
})

const run = async (answers: Answers, ...args: string[]) => {
  planes.answers = answers
  planes.asked.length = 0
  return ended(
    startMqttDynamodb([...args, '--aws', '--region', 'us-west-2'], {
      AWS_ENDPOINT_URL_DYNAMODB: backend.dynamodbUrl,
      AWS_ENDPOINT_URL_CLOUDWATCH: planes.url,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
    }),
  )
}
const TOP = ['queues', 'list', '--top', '3']
const sums = (...each: number[]) => ({
  GetMetricStatistics: [200, each.map((sum) => `<member><Sum>${sum}.0</Sum></member>`).join('')] as const,
})

test.each<[string, Answers, string]>([
  ['a tenth of what was read', sums(3_000_000, 600_000), '100 a second (a tenth of what was read in the last hour; --rate says another)'],
  ['of a table that nobody reads', sums(), '25 a second (little was read in the last hour; --rate says another)'],
  [
    'where CloudWatch is not allowed',
    { GetMetricStatistics: [403, '<Message>not yours</Message>'] },
    '25 a second (cloudwatch:GetMetricStatistics is refused: 403 not yours; --rate says another)',
  ],
])('%s', async (_, answers, said) => {
  for (const command of [TOP, ['retained', 'export']]) {
    const { status, err } = await run(answers, ...command)
    expect({ status, err }).toEqual({ status: 0, err: expect.stringMatching(/^reads all of mqtt_\w+: about \d+ rows, \d+ read units, /) })
    expect(err).toContain(said)
  }
  expect(planes.asked).toEqual(['monitoring GetMetricStatistics'])
})

test('--rate is asked of nobody', async () => {
  const { status, err } = await run(sums(3_600_000), ...TOP, '--rate', '7')
  expect({ status, err }).toEqual({ status: 0, err: expect.not.stringContaining('last hour') })
  expect(planes.asked).toEqual([])
})
