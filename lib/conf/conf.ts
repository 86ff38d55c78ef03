/**
 * Reads EMQX's `etc/plugins/emqx_backend_dynamo.conf` (3.x and 4.x) into the hook table. The reader is strict: each line that it
 * does not understand is an error with file, line and what was wanted, and it reports all errors at once. Keys under `backend.dynamo.`:
 *
 *     region                          region of the stack
 *     <pool>.server, .pool_size       for the local run only
 *     <pool>.aws_default_region       the region, if `region` is absent
 *     <pool>.aws_access_key_id, .aws_secret_access_key    their values are never used: a warning names the key
 *     durable.prefix                  what stands before the topic in a durable subscription; empty: there are none (not in EMQX)
 *     msg.expired_after               seconds or duration after which stored messages expire (not in EMQX)
 *     hook.<hook>.<label>             a hook row, see row.ts
 *
 * Every other key is an error, another plugin's too: EMQX has one file for each plugin, and refuses unknown keys as well.
 */

import { BackendError } from '../../lambda/core/errors.ts'
import type { HookTable, Pool } from '../../lambda/core/hooks.ts'
import { didYouMean } from './did-you-mean.ts'
import { prefixFault } from './durable-prefix.ts'
import { DURATION_WANTED, parseDuration } from './duration.ts'
import { type ConfProblem, type ConfReader, type Place, type Report, readSettings, type Setting, shownKey } from './lines.ts'
import { readRows } from './rows.ts'
import { EncodingFault } from './utf-8.ts'

export type { ConfProblem } from './lines.ts'

/** A conf, with what is wrong with it. */
export interface ParsedConf {
  /** Complete only if there are no errors. */
  readonly table: HookTable
  /** In the order of the lines. */
  readonly warnings: ConfProblem[]
  readonly errors: ConfProblem[]
}

const CREDENTIALS: readonly string[] = ['aws_access_key_id', 'aws_secret_access_key']
const POOL_KEYS: readonly string[] = ['server', 'pool_size', 'aws_default_region', ...CREDENTIALS]
const REGION = /^[a-z]{2,3}(?:-[a-z]+){1,3}-\d{1,2}$/
const POOL_SIZE = /^[1-9]\d{0,4}$/

/**
 * Reads a conf, and reports all errors at once.
 * @param conf bytes of a file, or its text
 * @param options `file` is the conf's name in messages; paths of `include` are relative to it
 */
export function parseConf(conf: string | Uint8Array, options: ConfReader): ParsedConf {
  try {
    return parseText(conf, options)
  } catch (error) {
    if (!(error instanceof EncodingFault)) throw error
    const { file, line, message } = error
    return { table: { pools: {}, rows: [] }, warnings: [], errors: [{ file, line, message }] }
  }
}

function parseText(text: string | Uint8Array, options: ConfReader): ParsedConf {
  const problems = new Problems()
  const conf = new ConfTable(problems)
  for (const setting of readSettings(text, options, problems)) conf.take(setting)
  const table = conf.table({ file: options.file, line: 1, order: 0 })
  return { table, warnings: problems.sorted('warning'), errors: problems.sorted('error') }
}

/**
 * The hook table of a conf without errors.
 * @throws BackendError `bad-conf` with one line `file:line: message` for each error
 */
export function hookTableOf({ table, errors }: ParsedConf): HookTable {
  if (errors.length > 0) throw new BackendError('bad-conf', errors.map(problemLine).join('\n'))
  return table
}

/**
 * The hook table of a conf, for an app that imports the construct. `include` is refused.
 * @param conf bytes of a file, or its text
 * @param file name of the conf in errors
 * @throws BackendError `bad-conf`, as {@link hookTableOf} does
 * @public
 */
export const hookTableIn = (conf: string | Uint8Array, file: string): HookTable => hookTableOf(parseConf(conf, { file }))

/** `file:line: message`. */
export const problemLine = ({ file, line, message }: ConfProblem): string => `${file}:${line}: ${message}`

class Problems implements Report {
  private readonly found: { kind: 'error' | 'warning'; place: Place; message: string }[] = []

  error(place: Place, message: string): void {
    this.found.push({ kind: 'error', place, message })
  }

  warning(place: Place, message: string): void {
    this.found.push({ kind: 'warning', place, message })
  }

  sorted(kind: 'error' | 'warning'): ConfProblem[] {
    const ofKind = this.found.filter((problem) => problem.kind === kind).sort((a, b) => a.place.order - b.place.order)
    return ofKind.map(({ place: { file, line }, message }) => ({ file, line, message }))
  }
}

/** Collects settings. Hook rows are read last, because a row names a pool that may stand below it. */
class ConfTable {
  private region: string | undefined
  private defaultRegion: string | undefined
  private expiredAfter: number | undefined
  private durablePrefix: string | undefined
  /** A Map and no object: a pool may have the name `constructor`. */
  private readonly pools = new Map<string, Pool>()
  private readonly hooks: Setting[] = []
  private readonly report: Report
  constructor(report: Report) {
    this.report = report
  }

  take(setting: Setting): void {
    const [root, dynamo, ...words] = setting.words
    const [first, second] = words
    if (root !== 'backend' || dynamo !== 'dynamo') {
      this.refuse(setting, `${shownKey(setting.words)} is no setting of this backend, wanted backend.dynamo.*`)
    } else if (first === 'hook') this.hooks.push(setting)
    else if (words.length === 1 && first === 'region') this.region = this.regionOf(setting)
    else if (words.length === 2 && first === 'msg' && second === 'expired_after') this.expiredAfter = this.durationOf(setting)
    else if (words.length === 2 && first === 'durable' && second === 'prefix') this.durablePrefix = this.prefixOf(setting)
    else if (words.length === 2 && first !== undefined && second !== undefined && POOL_KEYS.includes(second))
      this.takePool(setting, first, second)
    else this.refuseKey(setting, words)
  }

  table(start: Place): HookTable {
    const names = new Set(this.pools.keys())
    if (this.hooks.length === 0) {
      const pools = names.size === 0 ? ', and no backend.dynamo.<pool>.* setting either' : ''
      this.report.error(start, `no hook at all${pools}, wanted at least one backend.dynamo.hook.<hook>.<label> = {...}`)
    }
    const region = this.region ?? this.defaultRegion
    return {
      ...(region === undefined ? {} : { region }),
      pools: Object.fromEntries(this.pools),
      rows: readRows(this.hooks, names, { durable: this.durablePrefix, expires: this.expiredAfter !== undefined }, this.report),
      ...(this.durablePrefix === undefined ? {} : { durablePrefix: this.durablePrefix }),
      ...(this.expiredAfter === undefined ? {} : { expiredAfter: this.expiredAfter }),
    }
  }

  private takePool(setting: Setting, name: string, key: string): void {
    const pool = this.pools.get(name) ?? {}
    if (key === 'server') this.pools.set(name, { ...pool, ...this.serverOf(setting) })
    else if (key === 'pool_size') this.pools.set(name, { ...pool, ...this.poolSizeOf(setting) })
    else this.pools.set(name, pool)
    if (key === 'aws_default_region') this.defaultRegion ??= this.regionOf(setting)
    if (CREDENTIALS.includes(key)) {
      this.report.warning(
        setting.place,
        `${shownKey(setting.words)} is not used: the functions get their rights from IAM roles. Delete the line`,
      )
    }
  }

  private regionOf(setting: Setting): string | undefined {
    if (REGION.test(setting.value)) return setting.value
    return void this.refuse(setting, `${shownKey(setting.words)} is no AWS region, wanted one such as us-west-2`)
  }

  private durationOf(setting: Setting): number | undefined {
    return parseDuration(setting.value) ?? void this.refuse(setting, `${shownKey(setting.words)} is no duration, wanted ${DURATION_WANTED}`)
  }

  private prefixOf(setting: Setting): string | undefined {
    const fault = prefixFault(setting.value)
    return fault === undefined ? setting.value : void this.refuse(setting, `${shownKey(setting.words)} ${fault}`)
  }

  private serverOf(setting: Setting): Pool {
    const url = URL.canParse(setting.value) ? new URL(setting.value) : undefined
    const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
    if (plain) return { server: setting.value }
    this.refuse(
      setting,
      `${shownKey(setting.words)} is no plain address, wanted http://host:port or https://host:port without user and password`,
    )
    return {}
  }

  private poolSizeOf(setting: Setting): Pool {
    if (POOL_SIZE.test(setting.value)) return { poolSize: Number(setting.value) }
    this.refuse(setting, `${shownKey(setting.words)} is no pool size, wanted a whole number from 1 to 99999`)
    return {}
  }

  private refuseKey(setting: Setting, words: readonly string[]): void {
    const ours: Readonly<Record<string, string>> = { msg: 'expired_after', durable: 'prefix' }
    const own = ours[words[0] ?? '']
    const wanted = words.length === 1 ? ['region'] : own === undefined ? POOL_KEYS : [own, ...POOL_KEYS]
    const prefix = words.length === 1 ? 'backend.dynamo.' : 'backend.dynamo.<pool>.'
    const guess = didYouMean(words.at(-1) ?? '', wanted)
    this.refuse(setting, `${shownKey(setting.words)} is unknown, wanted ${wanted.map((key) => prefix + key).join(', ')}${guess}`)
  }

  private refuse(setting: Setting, message: string): void {
    this.report.error(setting.place, message)
  }
}
