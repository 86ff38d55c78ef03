/** What goes wrong at a call. */
import type { Fault, Happening } from './fault.ts'
import { type Answer, failure, jsonOf, socketError } from './http.ts'
import type { CallKind, SdkCall } from './sdk-call.ts'

const DYNAMO: readonly CallKind[] = ['read', 'write', 'batch-get', 'batch-write', 'query']
const WRITES: readonly CallKind[] = ['write', 'batch-write']
const ANY: readonly CallKind[] = [...DYNAMO, 'send', 'connection', 'retained', 'delivery-request']
const of =
  (kinds: readonly CallKind[]) =>
  ({ kind }: SdkCall) =>
    kinds.includes(kind)

const throws = (error: Error): Promise<never> => Promise.reject(error)
const first = ({ call }: Happening): boolean => call.attempts === 1

/** The same refusal of one attempt, which the SDK tries again, and of every attempt, so that the SDK gives up. */
const refusal = (name: string, refuse: () => Promise<Answer>): Fault[] => [
  {
    name: `${name}, once`,
    family: name,
    fits: of(DYNAMO),
    leaves: [],
    act: (at) => (first(at) ? refuse() : at.perform()),
    ...(name !== 'throttled' && { twin: true }),
  },
  { name, family: name, fits: of(DYNAMO), leaves: [], act: refuse, ...(/^(Throttling|connection)/.test(name) && { twin: true }) },
]

const DATABASE: readonly Fault[] = [
  ...refusal('throttled', async () => failure('ProvisionedThroughputExceededException', 400)),
  ...refusal('ThrottlingException', async () => failure('ThrottlingException', 400)),
  ...refusal('500', async () => failure('InternalServerError', 500)),
  ...refusal('connection reset', () => throws(socketError('ECONNRESET'))),
  {
    name: 'transaction conflict',
    family: 'conflict',
    fits: of(['write', 'read', 'batch-get', 'batch-write']),
    leaves: [],
    act: async () => failure('TransactionConflictException', 400),
  },
  {
    name: 'reply lost, once',
    family: 'reply lost',
    fits: of(WRITES),
    leaves: [],
    async act(at) {
      const answer = await at.perform()
      return first(at) ? throws(socketError('ECONNRESET')) : answer
    },
  },
  {
    name: 'reply lost',
    family: 'reply lost',
    fits: of(WRITES),
    leaves: [],
    async act(at) {
      await at.perform()
      return throws(socketError('ECONNRESET'))
    },
  },
  {
    name: 'reply lost, then no connection',
    family: 'reply lost',
    fits: of(WRITES),
    leaves: [],
    async act(at) {
      if (first(at)) await at.perform()
      return throws(socketError('ECONNREFUSED'))
    },
  },
]

/** Of a batch only so many keys or writes are processed. */
const unprocessed = (name: string, take: (size: number) => number, more: Pick<Fault, 'goesOn'> = {}): Fault => ({
  name: `unprocessed: ${name}`,
  family: 'unprocessed',
  fits: ({ kind, size }) => /^batch/.test(kind) && take(size) < size,
  leaves: [],
  ...more,
  async act({ call, request, perform }) {
    const [[table, asked]] = Object.entries(jsonOf(request).RequestItems as object) as [[string, { Keys: object[] } & object[]]]
    const all = call.kind === 'batch-get' ? asked.Keys : asked
    const part = (some: object[]) => ({ [table]: call.kind === 'batch-get' ? { ...asked, Keys: some } : some })
    const done = take(all.length)
    const left = part(all.slice(done))
    const answer = done === 0 ? {} : jsonOf(await perform({ RequestItems: part(all.slice(0, done)) }))
    const said = call.kind === 'batch-get' ? { Responses: {}, ...answer, UnprocessedKeys: left } : { ...answer, UnprocessedItems: left }
    return { statusCode: 200, headers: {}, body: Buffer.from(JSON.stringify(said)) }
  },
})

const BATCHES: readonly Fault[] = [
  unprocessed('all', () => 0),
  unprocessed('some', (size) => (size > 1 ? Math.floor(size / 2) : size)),
  unprocessed('all, for long', () => 0, { goesOn: true }),
  {
    name: 'answered in pages of one',
    family: 'unprocessed',
    fits: of(['query']),
    goesOn: true,
    leaves: [],
    act: ({ perform }) => perform({ Limit: 1 }),
  },
]

/** Time that an invocation keeps for its end is longer than this. Milliseconds. */
const ALMOST_OVER = 4_000

const PROCESS: readonly Fault[] = [
  { name: 'crash before', family: 'crash', fits: of(ANY), leaves: [], act: ({ process }) => process.die() },
  {
    name: 'crash after',
    family: 'crash',
    fits: of([...WRITES, 'send', 'delivery-request']),
    leaves: [],
    async act({ process, perform }) {
      await perform()
      return process.die()
    },
  },
  {
    name: 'crash before, at every receive',
    family: 'crash',
    fits: of(ANY),
    leaves: [],
    everyReceive: true,
    act: ({ process }) => process.die(),
  },
  {
    name: 'slow until the invocation is almost over',
    family: 'timeout',
    fits: of(ANY),
    leaves: [],
    async act({ process, perform }, { clock }) {
      clock.passTo(process.deadline - ALMOST_OVER)
      return perform()
    },
  },
  {
    name: 'slow until Lambda ends the invocation',
    family: 'timeout',
    fits: of(ANY),
    leaves: [],
    async act({ process, perform }, { clock }) {
      await perform()
      clock.passTo(process.deadline)
      return process.die()
    },
  },
]

const DUPLICATES: readonly Fault[] = [
  {
    name: 'received again meanwhile',
    family: 'duplicate',
    fits: of(ANY),
    leaves: ['acked late'],
    async act({ perform }, stage) {
      await stage.receivedAgain()
      return perform()
    },
  },
  {
    name: 'a copy handled meanwhile',
    family: 'duplicate',
    fits: of(ANY),
    leaves: ['acked late'],
    async act({ perform }, stage) {
      await stage.copyHandled()
      return perform()
    },
  },
  {
    name: 'received again, crashing, meanwhile',
    family: 'duplicate',
    fits: of(WRITES),
    leaves: ['again', 'acked late'],
    async act({ call, perform }, stage) {
      await stage.receivedAgain([{ fault: PROCESS[0]!, at: call.index + 1 }])
      return perform()
    },
  },
]

const STATUS: Readonly<Record<number, string>> = {
  403: 'ForbiddenException',
  404: 'ResourceNotFoundException',
  413: 'RequestEntityTooLargeException',
  429: 'ThrottlingException',
  500: 'InternalFailureException',
  503: 'ServiceUnavailableException',
  504: 'GatewayTimeoutException',
}
/** The confirmation's time passes before the platform says that there was no PUBACK. Milliseconds. */
const NO_PUBACK = 5_000

/** Once: another try of the message, or of the event, delivers it; save where the refusal is final. */
const sending = (name: string, more: Pick<Fault, 'act'>): Fault[] => [
  { name, family: 'data plane', fits: of(['send']), leaves: /^(403|404|413)/.test(name) ? ['undelivered'] : [], ...more },
  {
    name: `${name}, at every send`,
    family: 'data plane',
    fits: of(['send']),
    leaves: / ?504/.test(name) ? ['undelivered', 'silent'] : ['undelivered'],
    goesOn: true,
    ...more,
  },
]

/** Once: the question is asked again within the invocation. At every attempt: then it stays open. */
const asking = (name: string, act: () => Promise<Answer>): Fault[] => {
  const fault = { family: 'data plane', fits: of(['connection', 'retained']), act }
  return [
    { name: `${name}, once`, leaves: [], ...fault },
    { name, leaves: ['unsettled'], goesOn: true, ...fault },
  ]
}

const DATA_PLANE: readonly Fault[] = [
  ...[403, 404, 413, 429, 500, 503, 504].flatMap((status) =>
    sending(`${status}`, {
      async act(_, { clock }) {
        if (status === 504) clock.passTo(clock.now() + NO_PUBACK)
        return failure(STATUS[status]!, status)
      },
    }),
  ),
  ...sending('PUBACK came, 504', {
    async act({ perform }, { clock }) {
      await perform()
      clock.passTo(clock.now() + NO_PUBACK)
      return failure(STATUS[504]!, 504)
    },
  }),
  ...sending('PUBACK came, reply lost', {
    async act({ perform }) {
      await perform()
      return throws(socketError('ECONNRESET'))
    },
  }),
  ...sending('no connection to the data plane', { act: () => throws(socketError('ECONNREFUSED')) }),
  ...[403, 404].map(
    (status): Fault => ({
      name: `GetConnection or ListSubscriptions ${status}`,
      family: 'data plane',
      fits: of(['connection']),
      leaves: ['unsettled'],
      act: async () => failure(STATUS[status]!, status),
    }),
  ),
  {
    name: 'GetRetainedMessage 403',
    family: 'data plane',
    fits: of(['retained']),
    leaves: [],
    act: async () => failure(STATUS[403]!, 403),
  },
  ...[429, 500, 504].flatMap((status) => asking(`${status} to a question`, async () => failure(STATUS[status]!, status))),
  ...asking('a question on a lost connection', () => throws(socketError('ECONNRESET'))),
  ...asking('no connection for a question', () => throws(socketError('ECONNREFUSED'))),
]

const DELIVERY_QUEUE: readonly Fault[] = [
  ...[400, 500].map(
    (status): Fault => ({
      name: `SendMessage ${status}`,
      family: 'delivery queue',
      fits: of(['delivery-request']),
      leaves: [],
      act: async () => failure(status === 400 ? 'AccessDeniedException' : 'InternalFailure', status),
    }),
  ),
  {
    name: 'SendMessage done, its reply lost',
    family: 'delivery queue',
    fits: of(['delivery-request']),
    leaves: [],
    async act({ perform }) {
      await perform()
      return throws(socketError('ECONNRESET'))
    },
  },
]

export const FAULTS: readonly Fault[] = [...DELIVERY_QUEUE, ...DATABASE, ...BATCHES, ...PROCESS, ...DUPLICATES, ...DATA_PLANE]

/** Another writer comes first: the event of the scenario's rival is handled just before the call. */
export const rival = (name: string): Fault => ({
  name: `rival: ${name}`,
  family: 'rival',
  fits: of(ANY),
  leaves: ['rivalled'],
  async act({ perform }, stage) {
    await stage.rivalHandled(name)
    return perform()
  },
})
