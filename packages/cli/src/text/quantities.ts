/** Quantities as people read them. */

/** `0 B`, `998 B`, `1.2 kB`, `34 MB`: decimal units, as disks and networks are sold. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const
  let value = bytes
  let unit = 0
  // 999.5 would be rounded to 1000 of the smaller unit.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits)} ${units[unit]}`
}

/** `0:04.250`, `12:04.250`, `1:02:04.250`: microseconds as a time that `--from` and `--to` take. */
export function formatTime(us: number, fractionDigits: 0 | 1 | 3 = 3): string {
  const sign = us < 0 ? '-' : ''
  const scale = 10 ** fractionDigits
  const units = Math.round((Math.abs(us) / 1_000_000) * scale)
  const seconds = Math.floor(units / scale)
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const fraction = fractionDigits === 0 ? '' : `.${String(units % scale).padStart(fractionDigits, '0')}`
  const head = hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}` : `${minutes}`
  return `${sign}${head}:${String(seconds % 60).padStart(2, '0')}${fraction}`
}

/** `+3.2 ms`, `-1.250 s`: a difference of two times. */
export function formatOffset(us: number): string {
  const sign = us < 0 ? '-' : '+'
  const size = Math.abs(us)
  return size < 1_000_000 ? `${sign}${(size / 1000).toFixed(1)} ms` : `${sign}${(size / 1_000_000).toFixed(3)} s`
}

/** `1 picture`, `5 pictures`, `1,204 packets`. */
export function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

/** `1,204`. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en-US')
}

/** `48 kHz`, `44.1 kHz`. */
export function formatRate(hz: number): string {
  return `${Number((hz / 1000).toFixed(3))} kHz`
}
