import { relative } from 'node:path'

/** The shorter way to say where `path` is for somebody who stands in `cwd`. */
export function pathFrom(cwd: string, path: string): string {
  const short = relative(cwd, path)
  return short !== '' && short.length < path.length && !short.startsWith('..') ? short : path
}
