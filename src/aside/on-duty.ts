// The other end of a process beside the gateway: hears it, and goes when it is gone.
import './give-way' // first of all

/**
 * To be called once, by the module that the process runs. What it answers says something to the gateway.
 * @param hear what the gateway says; it says one thing at a time, as the two of them have agreed
 */
export function onDuty(hear: (message: unknown) => void): (message: object) => void {
  process.on('message', hear)
  process.on('disconnect', () => process.exit())
  // Terminals and service managers send these to all processes at once. The gateway lets this one finish, and ends it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)
  return (message) => void process.send?.(message, undefined, undefined, leaveOn)
}

/** Nobody is there any more to work for. */
const leaveOn = (cause: Error | null): void => {
  if (cause) process.exit()
}
