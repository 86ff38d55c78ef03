// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code as text
/**
 * Faults of the product, one line each, built in on purpose: what the checks must say of it. A checker that finds none of them checks
 * nothing; a mutant that none of them finds is a missing test.
 */
import { CASTS } from './casts.ts'
import type { Shares } from './faults.ts'

export interface Mutant {
  readonly name: string
  /** Of `lambda/`. */
  readonly file: string
  /** The code that is replaced; it stands there once. */
  readonly from: string
  readonly to: string
  /** What is violated, for the mutant's own reason. */
  readonly violates: RegExp
  /** A world in which it shows soon. Default: every seed's own. */
  readonly cast?: (typeof CASTS)[number]['name']
  readonly shares?: Partial<Shares>
  /** In so many histories it is found. Default: {@link HISTORIES}. */
  readonly histories?: number
  /** The seed of a history that shows it, which is tried first: to search for one takes long. */
  readonly shows?: number
}

/** Most mutants show in the first dozen. */
export const HISTORIES = 1_000

export const castOf = ({ cast }: Mutant) => {
  const found = CASTS.find(({ name }) => name === cast)
  if (cast !== undefined && found === undefined) throw new Error(`no cast is named ${cast}`)
  return found
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a read position that moves before the PUBACK',
    file: 'core/queue/kept-run.ts',
    from: '        const outcome = await this.sender.send(message, { prefix })\n',
    to: `        this.unsaved.set(id, Math.max(...(homes.get(id) ?? [])))
        const outcome = await this.sender.send(message, { prefix })
`,
    violates: /^I12: .* moved .* past .*, which it did not acknowledge/,
    cast: 'many',
  },
  {
    name: 'a read position by time',
    file: 'core/model/position.ts',
    from: '  let seq = position.seq\n',
    to: `  const newest = Math.max(0, ...[...position.seen].map(millisOfMsgid))
  has = (id) => millisOfMsgid(id) <= newest
  let seq = position.seq
`,
    violates: /^I12: .* moved .* past|^I11: /,
    cast: 'many',
  },
  {
    name: 'a late id that is passed over',
    file: 'core/queue/kept-run.ts',
    from: '!this.has(id) && millisOfMsgid(id) < before)',
    to: '!this.has(id) && millisOfMsgid(id) < before && millisOfMsgid(id) >= Math.max(0, ...[...(this.position?.seen ?? [])].map(millisOfMsgid)))',
    violates: /^I11: |^limbo: .* is kept/,
    cast: 'many',
  },
  {
    name: 'a first read position that does not look back',
    file: 'core/queue/begin-position.ts',
    from: '  for (let to = first; to > 0; to -= LOOK_BACK) {',
    to: '  for (let to = 0; to > 0; to -= LOOK_BACK) {',
    violates: /^I11: |^limbo: .* is kept/,
    cast: 'many',
    shares: { late: 0.3 },
  },
  {
    name: 'a late first SUBSCRIBE that leaves a later position where it is',
    file: 'core/queue/begin-position.ts',
    from: '    if (before !== undefined && before.since <= since) {',
    to: '    if (before !== undefined) {',
    violates: /^I11: |^limbo: .* is kept/,
    cast: 'many',
  },
  {
    name: 'who is gone is taken for served',
    file: 'core/queue/push-kept.ts',
    from: '    const moved = await moveOn(context, { row, clientid, ids: acked, homes })\n',
    to: '    const moved = await moveOn(context, { row, clientid, ids: fresh.map(({ message }) => message.msgid), homes })\n',
    violates: /^I12: .* moved .* past/,
    cast: 'many',
  },
  {
    name: 'an acknowledgement that takes a kept message off',
    file: 'core/queue/acknowledge.ts',
    from: '  !isKeptForMany(config, topic) && config.acked',
    to: '  config.acked',
    violates: /^I11: |^I5|^I12|^limbo: .* is kept/,
    cast: 'many, all kinds',
  },
  {
    name: 'a durable message is taken off before its PUBACK',
    file: 'core/queue/dispatch-run.ts',
    from: '    const outcome = await this.send(consumer, message)\n',
    to: '    this.acked(consumer, message, seqs)\n    const outcome = await this.send(consumer, message)\n',
    violates: /^I12: .* who did not acknowledge it/,
    cast: 'durable',
  },
  {
    name: 'a receipt is sent before the PUBACK',
    file: 'core/queue/dispatch-run.ts',
    from: '    const outcome = await this.send(consumer, message)\n',
    to: '    this.receipts.acked(consumer.clientid, message)\n    const outcome = await this.send(consumer, message)\n',
    violates: /^receipt: .* who did not acknowledge it/,
    cast: 'durable',
  },
  {
    name: 'a receipt goes to the client that acknowledged, and not to the sender',
    file: 'core/queue/receipts.ts',
    from: 'this.send(message.sender, receipt)',
    to: 'this.send(clientid, receipt)',
    violates: /^receipt: .* sends .* one for/,
    cast: 'competing',
  },
  {
    name: 'a durable subscription is settled at its end',
    file: 'core/subscriptions/end.ts',
    from: '  if (isDurable(subscription.topic, context)) return endDurable(subscription, { session: end.session, until: end.at }, context)\n',
    to: `  if (isDurable(subscription.topic, context)) {
    const found = await endDurable(subscription, { session: end.session, until: end.at }, context)
    const live = found && { ...found.seat.live, kind: 'client' as const, granted: 1 }
    if (found && live) await settleEnd(context, found.row, { clientid: end.clientid, filter: found.row.topic, until: end.at, clean: end.clean, live })
    return found
  }
`,
    violates: /^I12: .* who did not acknowledge it/,
    cast: 'durable',
    shares: { 'puback-lost': 0.15, 'send-failed': 0.15 },
  },
  {
    name: 'a durable message on the plain topic',
    file: 'core/queue/dispatch-run.ts',
    from: 'return sender.send(message, { prefix })',
    to: 'return sender.send(message)',
    violates: /^I12: .* wanted durable/,
    cast: 'durable',
  },
  {
    name: 'a dispatch that ends though a publish or a subscriber came in',
    file: 'adapters/tables/topic-leases.ts',
    from: "'REMOVE dispatch', `${MINE} AND ${quiet(row.adds)}`",
    to: "'REMOVE dispatch', MINE",
    violates: /^limbo: .* durable subscriber/,
    cast: 'competing',
  },
  {
    name: 'a stale event that forgets what was left to it',
    file: 'core/subscriptions/durable.ts',
    from: '    if (context.invocation.receives > 1) await goOn(filter, at, context)\n',
    to: '',
    violates: /^limbo: .* durable subscriber/,
    cast: 'competing',
    shares: { crash: 0.05 },
  },
  {
    name: 'a message is lost sight of that a consumer did not take',
    file: 'core/queue/dispatch-run.ts',
    from: '    this.returned = inOrder([...this.returned, pending])\n',
    to: '',
    violates: /^limbo: .* durable subscriber/,
    cast: 'competing',
  },
  {
    name: 'two dispatches at once',
    file: 'adapters/tables/topic-leases.ts',
    from: 'OR attribute_exists(dispatch.rests)` : free',
    to: 'OR attribute_exists(dispatch.rests)` : `${free} OR attribute_exists(dispatch.#until)`',
    violates: /^I12 twice/,
    cast: 'competing',
  },
  {
    name: 'the name before the message',
    file: 'on_message_publish.ts',
    from: `    const stored = await store(one)
    const ids = one.messages.map(({ msgid }) => msgid)
    return { stored, row: await inTurn(() => one.context.ports.topics.add(one.messages[0]!.topic, ids)) }`,
    to: `    const ids = one.messages.map(({ msgid }) => msgid)
    const row = await inTurn(() => one.context.ports.topics.add(one.messages[0]!.topic, ids))
    return { stored: await store(one), row }`,
    shows: 45,
    violates: /^I5: nothing names/,
    cast: 'all kinds',
  },
  {
    name: 'a batch of messages that was refused is taken for stored',
    file: 'on_message_publish.ts',
    from: "        if (result.status === 'rejected') throw result.reason\n",
    to: '',
    violates: /^I1 lost|^I5: /,
    shares: { throttled: 0.05 },
  },
  {
    name: 'a batch that reports no failures',
    file: 'adapters/function/handler.ts',
    from: 'batchItemFailures: failed.map(',
    to: 'batchItemFailures: failed.slice(0, 0).map(',
    violates: /^I1 lost/,
  },
  {
    name: 'ids by the clock of the handler',
    file: 'core/msgid.ts',
    from: 'const micros = BigInt(publish.at) * 1000n',
    to: 'const micros = (BigInt(Date.now()) + 400_000_000_000n) * 1000n',
    violates: /^I1 lost/,
  },
  {
    name: 'taken off before its PUBACK',
    file: 'core/queue/drain-run.ts',
    from: '        const outcome = await this.sender.send(message)',
    to: '        this.acked(message, homes.get(id) ?? new Set())\n        const outcome = await this.sender.send(message)',
    violates: /^I3: .* who did not get it/,
  },
  {
    name: 'no PUBACK (504) taken for delivered',
    file: 'adapters/data-plane.ts',
    from: "504: 'silent'",
    to: "504: 'acked'",
    violates: /^I3: .* who did not get it/,
  },
  {
    name: 'a broken connection (ECONNRESET, 500) taken for delivered',
    file: 'adapters/data-plane.ts',
    from: "500: 'unknown'",
    to: "500: 'acked'",
    violates: /^I3: .* who did not get it/,
    shares: { 'send-failed': 0.2 },
  },
  {
    name: 'no doubt before a lost connection',
    file: 'core/model/delivery-window.ts',
    from: '1500 * (keepAlive || LONGEST_KEEP_ALIVE) + CLEAN_DOUBT',
    to: '0 * (keepAlive || LONGEST_KEEP_ALIVE) + CLEAN_DOUBT',
    shows: 17,
    violates: /^I3: .* client\.disconnected took .* who did not get it/,
    cast: 'segments',
  },
  {
    name: 'no time for a client to acknowledge',
    file: 'core/hooks.ts',
    from: 'settle * 1000',
    to: '0',
    shows: 100,
    violates: /^I3: .* (client\.disconnected|session\.unsubscribed) took .* who did not get it/,
  },
  {
    name: 'no margin after a SUBSCRIBE',
    file: 'core/model/delivery-window.ts',
    from: 'from: live.since + MARGIN',
    to: 'from: live.since - MARGIN',
    shows: 64,
    violates: /^I3: .* (client\.disconnected|session\.unsubscribed) took .* who did not get it/,
    cast: 'segments',
  },
  {
    name: 'settling in mid-window without proof',
    file: 'core/subscriptions/proof.ts',
    from: 'if (connection?.connected !== true || connection.connectedSince === undefined || connection.connectedSince > live.since) return undefined',
    to: 'if (connection === undefined) return undefined',
    shows: 87,
    violates: /^I3: .* message\.publish took .* who did not get it/,
    cast: 'segments',
    shares: { 'disconnect-lost': 0.7 },
  },
  {
    name: 'a subscription of QoS 0 settles',
    file: 'core/subscriptions/proof.ts',
    from: '  if (live.granted !== 1) return undefined\n',
    to: '',
    shows: 24,
    violates: /^I3: .* (client\.disconnected|session\.unsubscribed) took .* who did not get it/,
    cast: 'qos 0, no local',
  },
  {
    name: 'a QoS counts for messages from before it was told',
    file: 'core/subscriptions/proof.ts',
    from: 'Math.max(connectedAt, live.grantedAt ?? 0, ',
    to: 'Math.max(connectedAt, ',
    shows: 96,
    violates: /^I3: .* took .* who did not get it/,
    cast: 'qos 0, no local',
    shares: { late: 0.8, 'subscriptions-unknown': 0.5 },
  },
  {
    name: "a client's own message proves that it got it",
    file: 'core/subscriptions/settle.ts',
    from: '!members.has(sender) && ',
    to: '',
    violates: /^I3: .* (client\.disconnected|session\.unsubscribed) took .* who did not get it/,
    cast: 'qos 0, no local',
  },
  {
    name: 'a member of a group speaks for itself alone',
    file: 'core/subscriptions/proof.ts',
    from: '  if (parseSubscription(filter).share !== undefined) return groupProof(context, row, row.topic, { at: until, settle }, ended)\n',
    to: '',
    shows: 152,
    violates: /^I3: .* (client\.disconnected|session\.unsubscribed) took .* who did not get it/,
    cast: 'shared',
  },
  {
    name: 'a group settles though a member does not stand',
    file: 'core/subscriptions/proof.ts',
    from: '  if (keepAlives.length < seats.length) return undefined\n',
    to: '',
    shows: 64,
    violates: /^I3: .* took .* who did not get it/,
    cast: 'shared',
    shares: { 'disconnect-lost': 0.7, 'connection-unknown': 0 },
  },
  {
    name: 'nobody remembers that a member left a group',
    file: 'core/subscriptions/proof.ts',
    from: 'Math.max(row.shareLeft + MARGIN, ...',
    to: 'Math.max(...',
    shows: 5252,
    histories: 6_000,
    violates: /^I3: .* took .* who did not get it/,
    cast: 'shared',
    shares: { 'connection-unknown': 0 },
  },
  {
    name: 'a wildcard settles what IoT Core does not deliver by it',
    file: 'core/topic.ts',
    from: ' && filter !== `${topic}/#`',
    to: '',
    shows: 84,
    violates: /^I3: .* message\.publish took .* who did not get it/,
    cast: 'wildcards count',
  },
  {
    name: 'an unsubscribe that nobody remembers',
    file: 'core/subscriptions/end.ts',
    from: '  await ports.topics.markGone(filter, event)\n',
    to: '',
    violates: /^(stale live: .* but unsubscribed|I3: .* who did not get it|I4: a replay changed (live|mqtt_sub))/,
  },
  {
    name: 'a stale subscribed event makes its client live',
    file: 'core/subscriptions/begin.ts',
    from: 'return subscriptionIsOver(presence, event) || unsubscribed',
    to: 'return unsubscribed && presence === undefined',
    violates: /^stale live: .* \(client /,
  },
  {
    name: "a server-side subscriber's connected event is believed whatever came after",
    file: 'on_subscribe_lookup.ts',
    from: 'const over = connectionIsOver(await clients.presence(event.clientid), event)',
    to: 'const over = connectionIsOver(undefined, event)',
    shows: 18,
    violates: /^stale live: .* \(server /,
  },
  {
    name: "an old session's disconnect ends the new one",
    file: 'adapters/tables/topic-ends.ts',
    from: 'const over = `${ofKind}${SAME_SESSION} AND live.#entry.since <= :until AND ${notRenewed}`',
    to: "const over = 'attribute_exists(live.#entry)'",
    violates: /^not live: /,
  },
  {
    name: 'a connect clears nothing',
    file: 'core/subscriptions/end.ts',
    from: '      await ports.topics.clearOlder(topic, subscription, entry, event)\n',
    to: '',
    shows: 27,
    violates: /^stale live: .* but connected in/,
  },
  {
    name: "an operator's row takes over from the client's own subscription",
    file: 'adapters/tables/topic-seats.ts',
    from: "const taken = live.kind === 'client' ? `${SERVER_OF_SESSION} OR ${OLDER_SESSION}` : OLDER_SESSION",
    to: "const taken = live.kind === 'client' ? `${SERVER_OF_SESSION} OR ${OLDER_SESSION}` : `${SAME_SESSION} OR ${OLDER_SESSION}`",
    shows: 49,
    violates: /^(I2 order: .* at once|I4: a replay changed live|limbo: )/,
  },
  {
    name: 'a full set leaves the head without being set aside',
    file: 'adapters/tables/topic-ids.ts',
    from: 'SET sealing = MsgId, sealed = seq, seq = seq + :one REMOVE MsgId',
    to: 'SET seq = seq + :one REMOVE MsgId',
    violates: /^I5: nothing names/,
  },
  {
    name: 'the head trimmed under a concurrent ADD',
    file: 'adapters/tables/topic-ids.ts',
    from: "UpdateExpression: 'REMOVE sealing, sealed',",
    to: "UpdateExpression: 'REMOVE sealing, sealed, MsgId',",
    violates: /^I5: nothing names/,
    cast: 'segments',
  },
  {
    name: 'the set leaves the head before it is a segment',
    file: 'adapters/tables/topic-ids.ts',
    from: 'const written = ids.length > 0 && (await ifHolds(db.client.send(put))) !== undefined',
    to: 'const written = ids.length > 0 && seq % 3 !== 0 && (await ifHolds(db.client.send(put))) !== undefined',
    violates: /^I5: nothing names/,
    cast: 'segments',
  },
  {
    name: 'first moves past a segment that holds ids',
    file: 'core/queue/pending.ts',
    from: 'await topics.advanceFirst(seen, first)',
    to: 'await topics.advanceFirst(seen, first + 1)',
    violates: /^I5: segment .* is below first/,
  },
  {
    name: 'names are taken off without a last look',
    file: 'core/queue/acknowledge.ts',
    from: 'if (back.size > 0) await ports.topics.add(topic, [...back])',
    to: 'if (back.size < 0) await ports.topics.add(topic, [...back])',
    shows: 636,
    violates: /^I5: nothing names/,
  },
  {
    name: 'an acknowledgement that overtakes the name',
    file: 'on_message_acked_for_queue.ts',
    from: 'const QUEUEING = 120_000',
    to: 'const QUEUEING = -1',
    shows: 383,
    violates: /^I5: .* which does not exist/,
    cast: 'ack topic',
  },
  {
    name: 'unprocessed keys ignored',
    file: 'adapters/tables/dynamodb.ts',
    from: 'missing = got.UnprocessedKeys?.[name]?.Keys ?? []',
    to: 'missing = []',
    violates: /^(I5: nothing names|I2: |limbo: )/,
    shares: { unprocessed: 0.3 },
  },
  {
    name: 'unprocessed deletes ignored',
    file: 'adapters/tables/dynamodb.ts',
    from: '    writes = left\n',
    to: '    writes = []\n',
    shows: 16,
    violates: /^(limbo: |I2: .* is pending)/,
    shares: { unprocessed: 0.3 },
  },
  {
    name: 'ids compared as text',
    file: 'core/queue/pending.ts',
    from: '(a.number < b.number ? -1 : a.number > b.number ? 1 : 0)',
    to: '(a.id < b.id ? -1 : 1)',
    violates: /^I2 order: .* sent .* after/,
  },
  {
    name: 'a lease is nobody else’s business',
    file: 'adapters/tables/topic-leases.ts',
    from: 'const free = `(attribute_not_exists(live.#entry.catching) OR ${OWN_LEASE} OR live.#entry.catching.#until < :now)`',
    to: 'const free = `(attribute_exists(live.#entry) OR ${OWN_LEASE} OR live.#entry.catching.#until < :now)`',
    shows: 47,
    violates: /^I2 order: .* at once/,
  },
  {
    name: 'handing over whatever came in meanwhile',
    file: 'adapters/tables/topic-leases.ts',
    from: "const unchanged = inHead ? `${quiet(row.adds)} AND ` : ''",
    to: "const unchanged = ''",
    shows: 500,
    violates: /^limbo: /,
    cast: 'segments, pushed',
  },
  {
    name: 'a delivery that is tried again forgets its own lease',
    file: 'core/queue/requested-deliveries.ts',
    from: '(stored.length > 0 || receives > 1)',
    to: 'stored.length > 0',
    violates: /^limbo: .* is catching, and nobody drains/,
    cast: 'spilled servers',
  },
  {
    name: 'a silent client keeps its seat and its lease',
    file: 'core/queue/drain-stop.ts',
    from: 'else await topics.endSilent(seat)',
    to: 'else return',
    violates: /^limbo: .* is catching, and nobody drains/,
    cast: 'mute',
  },
  {
    name: 'a publish looks for no native subscriber',
    file: 'core/queue/push.ts',
    from: "const due = live.kind === 'server' ? stored : stored.filter(({ message }) => millisOfMsgid(message.msgid) < live.since + MARGIN)",
    to: "const due = live.kind === 'server' ? stored : []",
    violates: /^limbo: nobody got/,
  },
  {
    name: "an operator's row is asked when its client connects alone",
    file: 'core/queue/operator-rows.ts',
    from: "return seat.live.kind === 'server' ? () => operatorRowStands(ports, clientid, filter) : undefined",
    to: 'return undefined',
    violates: /^I13: .* session\.subscribed sends/,
    cast: 'an operator at work',
  },
  {
    name: "an operator's row is asked once for many messages",
    file: 'core/queue/operator-rows.ts',
    from: "return seat.live.kind === 'server' ? () => operatorRowStands(ports, clientid, filter) : undefined",
    to: "const asked = seat.live.kind === 'server' ? operatorRowStands(ports, clientid, filter) : undefined\n  return asked && (() => asked)",
    violates: /^I13: /,
    cast: 'an operator at work',
  },
  {
    name: "what a backup says of an operator's row is believed",
    file: 'adapters/tables/mqtt_sub.ts',
    from: "const spill = origin === 'client' ? number(item.spill) : undefined",
    to: 'const spill = number(item.spill)',
    shows: 189,
    violates: /^(stale live|not live|limbo)/,
    cast: 'spilled servers',
  },
  {
    name: "the seat of an operator's row that was written again is not found",
    file: 'adapters/tables/topic-spill.ts',
    from: '      if (spill !== undefined) return seatIn(topic, spill, entry)\n',
    to: "      if (origin === 'operator') return undefined\n      if (spill !== undefined) return seatIn(topic, spill, entry)\n",
    violates: /^(stale live|not live|limbo|I2 order)/,
    cast: 'spilled servers',
  },
  {
    name: 'a client sits in another spill row than the one that was claimed',
    file: 'adapters/tables/topic-spill.ts',
    from: 'return number((await ifHolds(db.client.send(claim)))?.Attributes?.spill)',
    to: 'await ifHolds(db.client.send(claim))\n    return n + 1',
    shows: 29,
    violates: /^(stale live|not live)/,
    cast: 'spilled',
  },
  {
    name: 'a disconnect that overtook its connect is forgotten',
    file: 'adapters/tables/mqtt_client.ts',
    from: 'for (const write of writes) if (await setOffline(event, write)) return',
    to: 'if (writes.length > 0) await setOffline(event, OF_THE_ROW)',
    shows: 54,
    violates: /^I6: .* is shown 1/,
  },
  {
    name: 'a connect after its own disconnect',
    file: 'adapters/tables/mqtt_client.ts',
    from: '        ConditionExpression: NEWER_OR_UNKNOWN,\n        ...placeholders(event, horizon(event)),',
    to: '        ConditionExpression: `${SAME_CONNECTION} OR ${NEWER_OR_UNKNOWN}`,\n        ...placeholders(event, horizon(event)),',
    violates: /^I6: .* is shown 1/,
  },
  {
    name: 'a bare version guard locks out who was offline for long',
    file: 'adapters/tables/mqtt_client.ts',
    from: "const MUCH_OLDER = 'event_at < :horizonBefore'",
    to: "const MUCH_OLDER = 'event_at < :horizonBefore AND #version < :version'",
    shows: 22,
    violates: /^I6: /,
  },
  {
    name: 'a retained message that was cleared comes back',
    file: 'adapters/tables/mqtt_retain.ts',
    from: 'if (cleared !== undefined && cleared >= eventId) await',
    to: 'if (cleared !== undefined && cleared < eventId) await',
    shows: 67,
    violates: /^(I6: mqtt_retain shows|I4: a replay changed mqtt_retain)/,
    cast: 'retained',
  },
  {
    name: 'a late clear deletes the newer retained message',
    file: 'adapters/tables/mqtt_retain.ts',
    from: "ConditionExpression: 'attribute_not_exists(event_id) OR event_id <= :event_id'",
    to: "ConditionExpression: 'attribute_exists(topic) OR event_id <= :event_id'",
    shows: 33,
    violates: /^(I6: mqtt_retain shows nothing|I4: a replay changed mqtt_retain)/,
    cast: 'retained',
  },
  {
    name: 'our row goes to a subscriber though IoT Core holds another message',
    file: 'core/retained/send-retained.ts',
    from: 'if (held.payload.equals(message.payload)) return message',
    to: 'if (held.payload !== undefined) return message',
    shows: 2,
    violates: /^I14: .* sends '.*', retained on/,
    cast: 'retained',
  },
  {
    name: 'a retained message is tried again as it was',
    file: 'core/retained/send-retained.ts',
    from: `    const current = async () => {
      const message = await retained()
`,
    to: `    const first = retained()
    const current = async () => {
      const message = await first
`,
    shows: 49,
    violates: /^I14: .* sends '.*', retained on/,
    cast: 'retained',
  },
  {
    name: 'an empty publish clears nothing that is on its way',
    file: 'core/retained/retain-flag.ts',
    from: '{ ...NOT_RETAINED, mayHaveCleared: true }',
    to: '{ ...NOT_RETAINED }',
    shows: 24,
    violates: /^I6: mqtt_retain shows .* true is nothing/,
    cast: 'retained',
  },
  {
    name: 'what IoT Core answers brings back the row of an acknowledged message',
    file: 'adapters/tables/mqtt_msg.ts',
    from: "ConditionExpression: 'attribute_exists(msgid)'",
    to: "ConditionExpression: 'attribute_exists(msgid) OR attribute_not_exists(msgid)'",
    shows: 27,
    violates: /^I5: nothing names/,
    cast: 'retained',
  },
  {
    name: 'an event whose check failed is taken for stored, whatever became of its message',
    file: 'hooks/message-publish.ts',
    from: "if (stored.status === 'fulfilled' && followed.status === 'rejected' && !publish.stored)",
    to: "if (followed.status === 'rejected' && !publish.stored)",
    shows: 28,
    violates: /^I1 lost/,
    cast: 'retained',
    shares: { 'retained-throttled': 0.5, throttled: 0.05 },
  },
]
