import type { Emit, Stage } from './stage.js'

/** Two stages as one: what the first emits is pushed into the second at once. */
export function chain<In, Middle, Out>(first: Stage<In, Middle>, second: Stage<Middle, Out>): Stage<In, Out> {
  // The closure is made anew only when the caller's emit changes, not for each input.
  let current: Emit<Out> | undefined
  let forward: Emit<Middle> = () => {}
  const into = (emit: Emit<Out>): Emit<Middle> => {
    if (emit !== current) {
      current = emit
      forward = (middle) => second.push(middle, emit)
    }
    return forward
  }
  return {
    push: (input, emit) => first.push(input, into(emit)),
    flush(emit) {
      first.flush(into(emit))
      second.flush(emit)
    },
    get stats() {
      return { first: first.stats, second: second.stats }
    },
  }
}
