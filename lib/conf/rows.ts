/** Reads all hook settings of a conf as rows, and drops rows that would run an action twice. */

import { durablePrefixOf, HOOKS, type HookName, type HookRow } from '../../lambda/core/hooks.ts'
import { awsFilters, covers } from '../pipeline/filter-cover.ts'
import { ruleRefusal } from '../pipeline/rule-limits.ts'
import { publishFaults } from '../pipeline/rule-sql.ts'
import { didYouMean } from './did-you-mean.ts'
import { type Json, JsonFault, parseJson } from './json.ts'
import { type Report, type Setting, shownKey } from './lines.ts'
import { readRow } from './row.ts'

interface ReadRow {
  readonly row: HookRow
  readonly setting: Setting
}

/**
 * The rows of all settings `backend.dynamo.hook.<hook>.<label>`, in order. `pools`: names that rows may use. `durable`:
 * `backend.dynamo.durable.prefix`. `expires`: whether messages expire.
 */
export function readRows(
  settings: readonly Setting[],
  pools: ReadonlySet<string>,
  { durable, expires }: { durable: string | undefined; expires: boolean },
  report: Report,
): HookRow[] {
  const read = settings.flatMap((setting): ReadRow[] => {
    const row = rowOf(setting, pools, report)
    return row === undefined ? [] : [{ row, setting }]
  })
  const rows = withoutRepeats(read, report)
  const durablePrefix = durablePrefixOf({ rows, ...(durable === undefined ? {} : { durablePrefix: durable }) })
  refuseRules(read, durablePrefix, report)
  refuseBelow(durablePrefix, read, report)
  refuseKeptForEver(read, expires, report)
  return rows
}

function rowOf(setting: Setting, pools: ReadonlySet<string>, report: Report): HookRow | undefined {
  const refuse = (message: string) => report.error(setting.place, message)
  const id = idOf(setting, refuse)
  const json = id === undefined ? undefined : jsonOf(setting, refuse)
  const row = id === undefined || json === undefined ? undefined : readRow(json, id, pools, refuse)
  if (row?.hook === 'message.publish' && row.topic?.startsWith('$')) {
    report.warning(setting.place, 'topics that start with "$" are never stored: this hook never runs')
  }
  return row
}

function idOf(setting: Setting, refuse: (message: string) => void): { hook: HookName; label: string } | undefined {
  const key = shownKey(setting.words)
  const [, , , subject, verb, label, ...more] = setting.words
  if (subject === undefined || verb === undefined || label === undefined || more.length > 0) {
    return void refuse(`${key} is no hook, wanted backend.dynamo.hook.<hook>.<label>, such as backend.dynamo.hook.message.publish.1`)
  }
  const hook = HOOKS.find((each) => each === `${subject}.${verb}`)
  if (hook === undefined)
    return void refuse(`${key} is on an unknown hook, wanted ${HOOKS.join(', ')}${didYouMean(`${subject}.${verb}`, HOOKS)}`)
  return { hook, label }
}

function jsonOf(setting: Setting, refuse: (message: string) => void): Json | undefined {
  try {
    return parseJson(setting.value)
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    return void refuse(`bad JSON at column ${setting.offset + error.offset + 1}: ${error.message}`)
  }
}

/** Reports the rows for which IoT Core or CloudFormation would refuse a rule: here they have a line, in a deployment only a rule's name. */
function refuseRules(read: readonly ReadRow[], durablePrefix: string, report: Report): void {
  const acks = read.some(({ row }) => row.hook === 'message.acked')
  const publishes = read.filter(({ row }) => row.hook === 'message.publish' && row.topic !== undefined)
  for (const fault of publishFaults(
    publishes.map(({ row }) => row.topic!),
    { acks, durablePrefix },
  )) {
    const { setting } = publishes.find(({ row }) => row.topic === fault.filter)!
    report.error(setting.place, ruleRefusal(fault).message)
  }
}

/** Nobody takes messages off a topic that is kept for many, and what reads it moves on by acknowledgements only. */
function refuseKeptForEver(read: readonly ReadRow[], expires: boolean, report: Report): void {
  const acked = read.filter(({ row }) => row.action === 'on_message_acked_for_pubsub').flatMap(({ row }) => awsFilters(row.topic ?? '#'))
  for (const { row, setting } of read) {
    if (row.action !== 'on_message_fetch_for_pubsub') continue
    const topic = row.topic ?? '#'
    if (!expires) {
      report.error(
        setting.place,
        'on_message_fetch_for_pubsub keeps every message until it expires, wanted a line such as backend.dynamo.msg.expired_after = 7d',
      )
    }
    if (!awsFilters(topic).every((filter) => acked.some((other) => covers(other, filter)))) {
      const wanted = `backend.dynamo.hook.message.acked.<label> = {"topic": "${topic}", "action": {"function": "on_message_acked_for_pubsub"}, "pool": "${row.pool}"}`
      report.error(
        setting.place,
        `on_message_fetch_for_pubsub on "${topic}" would deliver the same again and again, wanted a line ${wanted}`,
      )
    }
  }
}

/** Hooks see a durable subscription without its prefix: a filter below it would match nothing. Publish filters have a fault of their own. */
function refuseBelow(prefix: string, read: readonly ReadRow[], report: Report): void {
  for (const { row, setting } of read) {
    if (prefix === '' || row.hook === 'message.publish' || !row.topic?.startsWith(prefix)) continue
    const wanted = row.topic.slice(prefix.length) || '#'
    report.error(
      setting.place,
      `"topic" "${row.topic}": hooks see durable subscriptions without their prefix "${prefix}", wanted "${wanted}"`,
    )
  }
}

/**
 * Drops a row whose action another row runs already for the same event. client.connected and session.created come from the same
 * event (IoT Core has no session event): there the row of client.connected stays.
 */
function withoutRepeats(read: readonly ReadRow[], report: Report): HookRow[] {
  const kept = new Map<string, HookRow>()
  const sessionsLast = [...read].sort((a, b) => Number(a.row.hook === 'session.created') - Number(b.row.hook === 'session.created'))
  for (const { row, setting } of sessionsLast) {
    const what = `${row.action} ${row.topic ?? ''}`
    const same = kept.get(what)
    if (same === undefined) kept.set(what, row)
    else report.warning(setting.place, `${row.action} is on ${same.hook}.${same.label} already and runs once: this hook is ignored`)
  }
  const rows = new Set(kept.values())
  return read.map(({ row }) => row).filter((row) => rows.has(row))
}
