let free = 2
const waiting: (() => void)[] = []

/** Runs senders in pairs: each takes the time that it takes, but encoders of more than two starve each other. */
export async function twoAtATime<T>(job: () => Promise<T>): Promise<T> {
  if (free > 0) free--
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    return await job()
  } finally {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
}
