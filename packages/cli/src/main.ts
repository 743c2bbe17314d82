import { runRushes } from './run-rushes.js'
import { processTerminal } from './terminal.js'

// A reader that has seen enough (`rushes inspect … | head`) closes the pipe: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// No process.exit(): what stands in a pipe would be cut.
process.exitCode = await runRushes(process.argv.slice(2), processTerminal(), process)
