/**
 * dynalite keeps items in plain objects, where an attribute (or a client id as a map key) named `__proto__` or `constructor` is not
 * what it seems. Such names travel through it with a mark in front, put on and taken off in the JSON text.
 */
const MARK = '\uE000'
const INHERITED = Object.getOwnPropertyNames(Object.prototype).join('|')
/**
 * A whole JSON string: its opening quote follows a bracket, a colon or a comma, which the inside of a string cannot imitate.
 * The quote first: looking back from every blank of a long run would take the square of its length.
 */
const UNSAFE = new RegExp(`"(?<=[{[,:]\\s*")(${MARK}*(?:${INHERITED}))"`, 'g')
const MARKED = new RegExp(`"(?<=[{[,:]")${MARK}(${MARK}*(?:${INHERITED}))"`, 'g')

/** Of a request's JSON text. Undone by {@link unmarkNames}, whatever the text. */
export const markNames = (json: string): string => json.replace(UNSAFE, `"${MARK}$1"`)

/** Of a response's JSON text, as JSON.stringify writes it. */
export const unmarkNames = (json: string): string => json.replace(MARKED, '"$1"')
