// What a suite says of itself in its first comment. @slow: it takes long, or needs an engine over HTTP or one that bills, so
// `npm run test:fast` leaves it out. @seconds N: how long it takes about, if that is much.
const { extract, parse } = require('jest-docblock')

/** @param {string} source of a suite */
exports.isSlow = (source) => 'slow' in parse(extract(source))

/** @param {string} source of a suite */
exports.secondsOf = (source) => Number(parse(extract(source)).seconds ?? 0)
