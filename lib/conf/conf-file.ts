/** Reads a conf file from disk. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type ParsedConf, parseConf } from './conf.ts'

export const DEFAULT_CONF = 'etc/emqx_backend_dynamo.conf'

/** @throws the file system's error if `file` cannot be read. An included file that cannot be read is one of the conf's errors. */
export function readConf(file: string): ParsedConf {
  const readInclude = (path: string, fromFile: string) => readFileSync(resolve(dirname(fromFile), path))
  return parseConf(readFileSync(file), { file, readInclude })
}
