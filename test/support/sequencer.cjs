// Long suites first, so that none of them is what all wait for at the end. Jest remembers how long a suite took; on a new machine it
// would go by the size of the file.
const { readFileSync } = require('node:fs')
const { default: Sequencer } = require('@jest/test-sequencer')
const { isSlow } = require('./slow.cjs')

module.exports = class extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    const isLong = ({ path, duration }) => duration === undefined && isSlow(readFileSync(path, 'utf8'))
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))]
  }
}
