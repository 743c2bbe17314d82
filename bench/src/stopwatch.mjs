/** Starts; the function that it gives tells the milliseconds since, by the clock and of all of this process's threads. */
export function stopwatch() {
  const cpu = process.cpuUsage()
  const start = performance.now()
  return () => {
    const wallMs = performance.now() - start
    const { user, system } = process.cpuUsage(cpu)
    return { wallMs, cpuMs: (user + system) / 1000 }
  }
}
