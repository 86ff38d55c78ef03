/** @throws Error with one line that says what was wanted */
export function whole(name: string, text: string, least: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text)
  throw new Error(`--${name} is '${text}', wanted a whole number, at least ${least}`)
}
