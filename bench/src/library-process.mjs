import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A contender that lives in a process of its own; `name` is a key of contender.mjs. */
export async function startLibrary(name, dir, megabytes) {
  const child = fork(fileURLToPath(new URL('./contender.mjs', import.meta.url)), [name, dir, String(megabytes)])
  await answerOf(child)
  return {
    run() {
      child.send('run')
      return answerOf(child)
    },
    close: () => child.disconnect(),
  }
}

async function answerOf(child) {
  const settled = new AbortController()
  try {
    const [answer] = await Promise.race([
      once(child, 'message', settled),
      once(child, 'exit', settled).then(([code]) => {
        throw new Error(`a contender ended with ${code}`)
      }),
    ])
    return answer
  } finally {
    settled.abort()
  }
}
