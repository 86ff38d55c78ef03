// A suite that takes long, or that needs an engine over HTTP or one that bills, says so in its first comment: @slow.
const { extract, parse } = require('jest-docblock')

/** @param {string} source of a suite */
exports.isSlow = (source) => 'slow' in parse(extract(source))
