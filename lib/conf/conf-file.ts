/** Reads the hook table from a file on disk, for the app, the local run and the conf command. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type ParsedConf, parseConf } from './conf.ts'

export const DEFAULT_CONF = 'etc/emqx_backend_dynamo.conf'

/** @throws the file system's error if the file itself cannot be read; an include that cannot is one of the errors. */
export function readConf(file: string): ParsedConf {
  const readInclude = (path: string, fromFile: string) => readFileSync(resolve(dirname(fromFile), path), 'utf8')
  return parseConf(readFileSync(file, 'utf8'), { file, readInclude })
}
