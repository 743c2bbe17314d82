/** Figures for people; the page has its own, for it knows the reader's language. */

/** `0:20.0`. */
export function formatTime(us) {
  const tenths = Math.round(us / 100_000)
  const seconds = Math.floor(tenths / 10)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}.${tenths % 10}`
}

/** `183 kB`. */
export function formatBytes(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
