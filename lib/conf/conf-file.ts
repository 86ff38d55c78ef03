/** Reads a conf file from disk. */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'
import { type ParsedConf, parseConf } from './conf.ts'

export const DEFAULT_CONF = 'etc/emqx_backend_dynamo.conf'

/**
 * Reads a conf file from disk; a relative path begins in the working directory.
 * @throws BackendError `bad-conf` if `file` cannot be read. An included file that cannot be read is one of the conf's errors
 */
export function readConf(file: string): ParsedConf {
  const readInclude = (path: string, fromFile: string) => readFileSync(resolve(dirname(fromFile), path))
  return parseConf(bytesOf(file), { file, readInclude })
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = isAbsolute(file) ? code : `${code} in ${process.cwd()}`
    throw new BackendError('bad-conf', `conf is ${JSON.stringify(file)}, wanted a file that can be read (${reason})`)
  }
}
