/** Decodes a conf file strictly: a topic with a wrongly decoded character would match nothing, and nobody would be told. */
import { Buffer, isUtf8 } from 'node:buffer'

/** Thrown for a file that is not UTF-8. The message does not repeat the text (I10). */
export class EncodingFault extends Error {
  readonly file: string
  /** From 1. */
  readonly line: number
  constructor(file: string, line: number, message: string) {
    super(message)
    this.name = 'EncodingFault'
    this.file = file
    this.line = line
  }
}

export const LINE_END = /\r\n|\n|\r/

/** @throws EncodingFault with the first line that is not UTF-8 */
export function utf8Text(bytes: Uint8Array, file: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (['fffe', 'feff'].includes(buffer.toString('hex', 0, 2))) throw new EncodingFault(file, 1, 'the file is UTF-16, wanted UTF-8')
  // One character a byte: a line of this text holds exactly the bytes of a line of the file.
  const lines = buffer.toString('latin1').split(LINE_END)
  const zero = lines.findIndex((line) => line.includes('\0'))
  if (zero >= 0) throw new EncodingFault(file, zero + 1, 'a zero byte: the file is UTF-16 or no text, wanted UTF-8')
  if (isUtf8(buffer)) return buffer.toString('utf8')
  const wrong = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')))
  const column =
    Buffer.from(lines[wrong] ?? '', 'latin1')
      .toString('utf8')
      .indexOf('\ufffd') + 1
  throw new EncodingFault(file, wrong + 1, `the character at column ${column} is not UTF-8: the file has another encoding, wanted UTF-8`)
}
