/**
 * The first Ctrl-C asks the work to end after the letters that it has received; a second one ends the process at once.
 * @returns tells whether the work was asked to end
 */
export function stopOnSignal(): () => boolean {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping) process.exit(1)
      stopping = true
    })
  return () => stopping
}
