// One cold start: loads a bundle as Lambda's runtime does, hands it its first event, and says what that took. Plain CommonJS, so
// that nothing but the bundle is loaded: node cold-start-process.cjs <bundle> <event.json>; the last line on stdout is the answer.
const { readFileSync } = require('node:fs')

const [, , bundle, eventFile] = process.argv
const event = JSON.parse(readFileSync(eventFile, 'utf8'))

/** Of this program alone: process.resourceUsage() begins with what the parent had. */
const peakMegabytes = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024

async function main() {
  const { handler } = require(bundle)
  // The runtime asks for the event over HTTP: what the bundle began while it loaded gets its turn.
  await new Promise((resolve) => setImmediate(resolve))
  const loaded = performance.now()
  const { batchItemFailures } = await handler(event, { getRemainingTimeInMillis: () => 30_000 })
  const handled = performance.now()
  const { user, system } = process.cpuUsage()
  const answer = {
    failures: batchItemFailures.length,
    cpu: (user + system) / 1000,
    handled,
    call: handled - loaded,
    memory: peakMegabytes(),
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

// The SDK keeps its connections open for the next event, which never comes.
main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
