/** Text of strangers (client ids, topics, filters) in lines that a terminal or a log shows. */
import type { Log } from './functions/function-connections.ts'

/** Control characters, and characters that turn the direction of a line or break it: what could forge a line or steer a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** The text in one line, with each such character written as `\u001b`. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped)

const escaped = (character: string): string => {
  const code = character.codePointAt(0)!
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** A log that no text in a line can break or steer. */
export const inOneLine =
  (log: Log): Log =>
  (level, line) =>
    log(level, printable(line))
