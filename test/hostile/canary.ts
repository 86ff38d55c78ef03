/** A secret to be looked for in everything that is printed, in every guise that a program might give it (I10). */

/** With characters that JSON escapes and URLs encode. */
export const CANARY = 'canary "7f3a9c" \\ é/+?&'

/** The canary as it is, escaped, encoded, and in base64 at each of the three places that it can have among other bytes. */
export function guises(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const json = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret),
    encodeURI(secret),
    new URLSearchParams({ q: secret }).toString().slice(2),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    [...bytes].join(','),
    ...[0, 1, 2].flatMap((before) => [inBase64(bytes, before, 'base64'), inBase64(bytes, before, 'base64url')]),
  ]
}

/** The characters that stand for nothing but these bytes. */
function inBase64(bytes: Buffer, before: number, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString(encoding)
    .replaceAll('=', '')
  return text.slice(before === 0 ? 0 : before + 1, Math.floor(((before + bytes.length) * 8) / 6))
}

/** The guises that stand somewhere in the text. Its core too: whatever is done to the rest, that stays. */
export const leaks = (text: string, secret = CANARY): string[] =>
  [...guises(secret), ...(secret === CANARY ? ['7f3a9c'] : [])].filter((guise) => text.includes(guise))

/** @throws where it leaks, naming the guise and what stands before it */
export function assertSilent(what: string, text: string, secret = CANARY): void {
  const [guise] = leaks(text, secret)
  if (guise === undefined) return
  const at = text.indexOf(guise)
  throw new Error(`I10: ${what} shows the canary as ${guise}: ...${text.slice(Math.max(0, at - 200), at + guise.length + 20)}...`)
}
