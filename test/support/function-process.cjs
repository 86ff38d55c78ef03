// A function's process, which a test can stop and continue as Lambda freezes and thaws one: node function-process.cjs <bundle>.
// Plain CommonJS, so that nothing but the bundle is loaded. Each message is an event; the answer is what the handler returned.
const { handler } = require(process.argv[2])

process.once('disconnect', () => process.exit())
process.on('message', async (event) => {
  process.send(await handler(event, { getRemainingTimeInMillis: () => 30_000 }))
})
