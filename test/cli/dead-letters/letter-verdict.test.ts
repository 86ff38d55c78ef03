/** What becomes of a letter: case table of both kinds, by the hooks' own parsers. */

import { EVENT_PARSERS } from '../../../cli/dead-letters/event-parsers.ts'
import type { Letter } from '../../../cli/dead-letters/letter.ts'
import { deadLetterVerdict, ruleErrorVerdict } from '../../../cli/dead-letters/letter-verdict.ts'
import { parseAck } from '../../../lambda/core/events/ack-events.ts'
import { parsePublish } from '../../../lambda/core/events/publish-events.ts'
import type { HookName } from '../../../lambda/core/hooks.ts'
import { HOOK_HANDLERS } from '../../support/hook-handlers.ts'

const MESSAGE_ID = '9f3c5b1e-0d2a-4c57-8f3e-2b1a6c7d8e9f'
const TRACE_ID = '7e146a2c-95b5-6caf-98b9-50e3969734c7'
const SENT_AT = 1_764_000_000_123
const MSGID = 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTD'
const SECRET = 'x-secret'

const letter = (body: unknown): Letter => ({
  messageId: MESSAGE_ID,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  sentAt: SENT_AT,
  receipt: 'r',
})
const base64 = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')

const presence = { clientId: 'c', timestamp: 1_764_000_000_000, sessionIdentifier: 's', versionNumber: 0 }
const subscription = { clientId: 'c', timestamp: 1_764_000_000_000, sessionIdentifier: 's', topics: ['a/b'] }
const EVENTS: Readonly<Record<HookName, object>> = {
  'client.connected': { ...presence, eventType: 'connected' },
  'session.created': { ...presence, eventType: 'connected' },
  'client.disconnected': { ...presence, eventType: 'disconnected' },
  'session.subscribed': subscription,
  'session.unsubscribed': subscription,
  'message.publish': { topic: 't', clientid: 'c', timestamp: 1_764_000_000_000, uuid: MESSAGE_ID, payload: base64(SECRET) },
  'message.acked': { topic: 'acked/c', clientid: 'c', timestamp: 1_764_000_000_000, payload: base64(MSGID) },
}
const HOOKS = Object.keys(EVENTS) as HookName[]

test('a letter is read as its hook reads it', () => {
  const parsers = Object.values(HOOK_HANDLERS).map(({ hook, parse }) => [hook, parse])
  expect(Object.fromEntries(parsers)).toEqual(EVENT_PARSERS)
})

describe("a hook's dead letter", () => {
  test.each(HOOKS)('of %s goes back byte for byte', (hook) => {
    const body = JSON.stringify(EVENTS[hook], null, 1)
    expect(deadLetterVerdict(hook, letter(body))).toEqual({ hook, body })
  })

  const publish = EVENTS['message.publish']
  test.each<[string, HookName, unknown, string]>([
    ['no JSON', 'message.publish', SECRET, 'bad event: the message is no JSON, wanted what an IoT rule selects'],
    ['a cut body', 'message.publish', `{"payload":"${SECRET}`, 'bad event: the message is no JSON'],
    ['nothing', 'client.connected', '', 'bad event: the message is no JSON'],
    ['no object', 'message.publish', [SECRET], 'bad event: the event is an array of 1, wanted an object'],
    ['no topic', 'message.publish', { ...publish, topic: undefined }, 'bad event: topic is missing, wanted a non-empty string'],
    [
      'a topic with a wildcard',
      'message.publish',
      { ...publish, topic: 'a/#' },
      'bad event: topic is a string of 3 characters, wanted a topic',
    ],
    [
      'no time',
      'message.publish',
      { ...publish, timestamp: SECRET },
      'bad event: timestamp is a string of 8 characters, wanted whole milli',
    ],
    ['no id', 'message.publish', { ...publish, uuid: SECRET }, 'bad event: uuid is a string of 8 characters, wanted a UUID'],
    ['a payload that is none', 'message.publish', { ...publish, payload: `${SECRET}*` }, 'bad event: payload is a string of 9 characters'],
    ['no client', 'client.connected', { ...presence, clientId: undefined }, 'bad event: clientId is missing, wanted'],
    ['another event', 'client.connected', { ...presence, eventType: 'gone' }, 'bad event: eventType is a string of 4 characters, wanted'],
    ['no filters', 'session.subscribed', { ...subscription, topics: [] }, 'bad event: topics is an array of 0, wanted'],
    [
      "another's ack",
      'message.acked',
      { ...EVENTS['message.acked'], clientid: 'd' },
      'bad ack: clientid is a string of 1 characters, wanted',
    ],
  ])('with %s can never succeed, and says why without repeating it', (_, hook, body, why) => {
    const verdict = deadLetterVerdict(hook, letter(body))
    expect(verdict).toEqual({ hook, code: why.startsWith('bad ack') ? 'bad-ack' : 'bad-event', why: expect.stringContaining(why) })
    expect(JSON.stringify(verdict)).not.toContain(SECRET)
  })
})

describe("a rule's error", () => {
  const error = (more: object) => ({
    ruleName: 'MqttBackend_MessagePublish_RuleAll334359_18C235AE',
    topic: 't/1',
    cloudwatchTraceId: TRACE_ID,
    clientId: 'c',
    base64OriginalPayload: base64('hello'),
    failures: [{ failedAction: 'SqsAction', failedResource: 'q', errorMessage: 'denied' }],
    ...more,
  })
  const eventOf = (more: object) => {
    const verdict = ruleErrorVerdict(letter(error(more)))
    if ('code' in verdict) throw new Error(verdict.why)
    return { hook: verdict.hook, event: JSON.parse(verdict.body) }
  }

  test('of a publish: the publish, at the time of the error, with its trace id', () => {
    const { hook, event } = eventOf({})
    expect(hook).toBe('message.publish')
    expect(parsePublish(event)).toEqual({
      topic: 't/1',
      sender: 'c',
      at: SENT_AT,
      timeInDoubt: true,
      uuid: TRACE_ID,
      payload: Buffer.from('hello'),
      properties: { user: [] },
    })
  })

  test.each([
    ['no UUID', 'none', MESSAGE_ID],
    ['missing', undefined, MESSAGE_ID],
    ['a UUID', TRACE_ID.toUpperCase(), TRACE_ID],
  ])('whose trace id is %s', (_, cloudwatchTraceId, uuid) => {
    expect(parsePublish(eventOf({ cloudwatchTraceId }).event).uuid).toBe(uuid)
  })

  test('becomes the same event every time', () => {
    expect(ruleErrorVerdict(letter(error({})))).toEqual(ruleErrorVerdict(letter(error({}))))
  })

  test.each([
    ['missing', undefined, Buffer.alloc(0)],
    ['empty', '', Buffer.alloc(0)],
    ['no UTF-8', Buffer.from([0, 255]).toString('base64'), Buffer.from([0, 255])],
  ])('whose payload is %s', (_, base64OriginalPayload, payload) => {
    expect(parsePublish(eventOf({ base64OriginalPayload }).event).payload).toEqual(payload)
  })

  test('of an HTTP publish has no client', () => {
    expect(parsePublish(eventOf({ clientId: undefined }).event).sender).toBe('n/a')
  })

  test('of an acknowledgement', () => {
    const { hook, event } = eventOf({ ruleName: 'X_MessageAcked_Rule_1', topic: 'acked/c', base64OriginalPayload: base64(MSGID) })
    expect(hook).toBe('message.acked')
    expect(parseAck(event)).toEqual({ clientid: 'c', at: SENT_AT, acks: [{ msgid: MSGID }] })
  })

  const lifecycle = {
    'client.connected': 'ClientConnected',
    'session.created': 'SessionCreated',
    'client.disconnected': 'ClientDisconnected',
  }
  const subscriptions = { 'session.subscribed': 'SessionSubscribed', 'session.unsubscribed': 'SessionUnsubscribed' }
  test.each(Object.entries({ ...lifecycle, ...subscriptions }))('of a lifecycle event of %s: the event itself', (hook, name) => {
    const original = EVENTS[hook as HookName]
    const ruleName = `MqttBackend_${name}_Rule_CE7F849D`
    expect(eventOf({ ruleName, topic: '$aws/events/x', base64OriginalPayload: base64(original) })).toEqual({ hook, event: original })
  })

  const connected = { ruleName: 'MqttBackend_ClientConnected_Rule_CE7F849D' }
  test.each<[string, unknown, object]>([
    ['no JSON', SECRET, { code: 'bad-event', why: 'bad event: the message is no JSON, wanted what an IoT rule selects' }],
    ['no object', 'null', { code: 'bad-event', why: 'bad event: the event is null, wanted an object' }],
    ['no rule', error({ ruleName: undefined }), { code: 'bad-event', why: 'bad event: ruleName is missing, wanted a non-empty string' }],
    [
      'a rule that is none of ours',
      error({ ruleName: SECRET }),
      { code: 'unknown-rule', why: 'ruleName is none of this backend, wanted a rule named after its hook' },
    ],
    [
      'no topic',
      error({ topic: undefined }),
      { hook: 'message.publish', code: 'bad-event', why: 'bad event: topic is missing, wanted a non-empty string' },
    ],
    [
      'a payload that is no base64',
      error({ base64OriginalPayload: SECRET }),
      { hook: 'message.publish', code: 'bad-event', why: expect.stringContaining('bad event: base64OriginalPayload is a string of 8') },
    ],
    [
      'a lifecycle event that is no JSON',
      error({ ...connected, base64OriginalPayload: base64(SECRET) }),
      { hook: 'client.connected', code: 'bad-event', why: 'bad event: its original payload is no JSON, wanted what an IoT rule selects' },
    ],
    [
      'a lifecycle event without its client',
      error({ ...connected, base64OriginalPayload: base64({ ...presence, clientId: undefined, secret: SECRET }) }),
      { hook: 'client.connected', code: 'bad-event', why: 'bad event: clientId is missing, wanted a non-empty string' },
    ],
  ])('with %s can never succeed, and says why without repeating it', (_, body, fault) => {
    const verdict = ruleErrorVerdict(letter(body))
    expect(verdict).toEqual(fault)
    expect(JSON.stringify(verdict)).not.toContain(SECRET)
  })
})
