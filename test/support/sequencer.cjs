// Long suites first, so that none of them is what all wait for at the end. Jest remembers how long a suite took; on a new machine it
// would go by the size of the file, so there the suite's own @seconds count.
const { readFileSync } = require('node:fs')
const { default: Sequencer } = require('@jest/test-sequencer')
const { secondsOf } = require('./slow.cjs')

module.exports = class extends Sequencer {
  sort(tests) {
    const seconds = new Map(tests.map((test) => [test, test.duration === undefined ? secondsOf(readFileSync(test.path, 'utf8')) : 0]))
    return super.sort(tests).sort((a, b) => seconds.get(b) - seconds.get(a))
  }
}
