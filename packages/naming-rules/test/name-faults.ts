/** What is wrong with a key, by the rules of file systems and stores. One expectation per run keeps the runs quick. */
export function faultsOf(key: string): string[] {
  const faults = Buffer.byteLength(key) > 1023 ? ['key too long'] : []
  for (const component of key.split('/')) {
    if (Buffer.byteLength(component) > 255) faults.push('component too long')
    if (/^\.|[. ]$|^$/.test(component)) faults.push('dot, space or nothing')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\u0000-\u001f\u007f-\u009f\\<>:"|?*]/.test(component)) faults.push('character')
    if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(component)) faults.push('device')
    if (Buffer.from(component).toString() !== component) faults.push('no Unicode')
  }
  return faults
}

/** Keys of the one that are a key or a folder of the other, or the other way round. */
export function meetingsOf(one: readonly string[], other: readonly string[]): string[] {
  const keys = new Set(other)
  const folders = new Set(other.flatMap(foldersOf))
  return one.filter((key) => keys.has(key) || folders.has(key) || foldersOf(key).some((folder) => keys.has(folder)))
}

function foldersOf(key: string): string[] {
  const components = key.split('/')
  return components.slice(1).map((_, index) => components.slice(0, index + 1).join('/'))
}
