import type { ReadStream } from 'node:fs'

/**
 * Lets `use` read a file, and gives it back whatever happens: who rejects without ever having looked at a stream leaves
 * its file open, and an error that nobody listens for ends the process.
 */
export async function withFileStream<Result>(
  file: ReadStream,
  use: (file: ReadStream) => Promise<Result>,
): Promise<Result> {
  file.on('error', () => {})
  const closed = new Promise<void>((resolve) => file.once('close', resolve))
  try {
    return await use(file)
  } finally {
    file.destroy()
    await closed
  }
}
