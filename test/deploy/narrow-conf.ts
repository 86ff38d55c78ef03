/** The default conf with another filter: what an operator changes after the first deployment. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const DEFAULT = join(import.meta.dirname, '..', '..', 'etc', 'emqx_backend_dynamo.conf')
const NARROW_FILTER = 'plant/#'

/** Path of a conf whose publishes are those on that filter alone. */
export function narrowConf(directory: string): string {
  const file = join(directory, 'narrow.conf')
  const text = readFileSync(DEFAULT, 'utf8')
  const narrow = text.replaceAll(/^(backend\.dynamo\.hook\.message\.publish\.\d+\s*=\s*\{"topic": )"#"/gm, `$1"${NARROW_FILTER}"`)
  writeFileSync(file, narrow)
  return file
}
