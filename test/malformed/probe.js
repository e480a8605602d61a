// Loaded before the gateway's own process (`node --expose-gc --require`): answers over IPC what it holds, and nothing else.
const { setImmediate: turn } = require('node:timers/promises')

const MB = 1024 * 1024

process.on('message', async () => {
  // Twice, with a turn between: finalizers and the handles they close take a turn.
  for (let i = 0; i < 3; i++) {
    global.gc()
    await turn()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  process.send({ heap: (heapUsed + external) / MB, rss: rss / MB })
})
process.channel?.unref()
