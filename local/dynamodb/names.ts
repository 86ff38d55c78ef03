/**
 * dynalite keeps items in plain objects, where a name such as `__proto__` or `constructor` (of an attribute, or a client id as a map key)
 * collides with JavaScript's own. Such names get a mark in the request's JSON text, and lose it in the answer's.
 */
const MARK = '\uE000'
const INHERITED = Object.getOwnPropertyNames(Object.prototype).join('|')
/**
 * Matches whole JSON strings only: an opening quote follows a bracket, a colon or a comma. The quote comes first in the pattern:
 * a pattern that began with blanks would take quadratic time on a long run of them.
 */
const UNSAFE = new RegExp(`"(?<=[{[,:]\\s*")(${MARK}*(?:${INHERITED}))"`, 'g')
const MARKED = new RegExp(`"(?<=[{[,:]")${MARK}(${MARK}*(?:${INHERITED}))"`, 'g')

/** For a request's JSON text. {@link unmarkNames} undoes it for any text. */
export const markNames = (json: string): string => json.replace(UNSAFE, `"${MARK}$1"`)

/** For an answer's JSON text as JSON.stringify writes it. */
export const unmarkNames = (json: string): string => json.replace(MARKED, '"$1"')
