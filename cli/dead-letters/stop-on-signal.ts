/**
 * After a Ctrl-C the work ends with the letters in hand, after a second one at once.
 * @returns whether the work is to end
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
