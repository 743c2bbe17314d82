/**
 * Runs every contender once per round, so that whatever else the machine does falls on all of them alike. The first
 * round warms up (compilers, file caches) and is not counted.
 */
export async function runRounds(contenders, rounds, megabytes) {
  const times = contenders.map(() => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [i, [, contender]] of contenders.entries()) {
      const elapsed = await contender.run()
      if (round > 0) times[i].push(elapsed)
    }
  }
  const first = times[0]
  return contenders.map(([name], i) => {
    const own = times[i]
    const wallMs = median(own.map((time) => time.wallMs))
    return {
      name,
      wallMs: rounded(wallMs, 1),
      minWallMs: rounded(Math.min(...own.map((time) => time.wallMs)), 1),
      cpuMs: rounded(median(own.map((time) => time.cpuMs)), 1),
      megabytesPerSecond: Math.round(megabytes / (wallMs / 1000)),
      // Above 1: so many times slower than the first. Medians of the ratios within each round, so that a slow moment
      // of the machine does not decide.
      timesSlower: rounded(median(own.map((time, round) => time.wallMs / first[round].wallMs)), 2),
      timesMoreCpu: rounded(median(own.map((time, round) => time.cpuMs / first[round].cpuMs)), 2),
    }
  })
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function rounded(value, digits) {
  return Number(value.toFixed(digits))
}
