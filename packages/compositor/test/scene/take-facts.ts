import { readFileSync } from 'node:fs'
import type { TakeSceneFacts } from '../../src/scene/take-scene-facts.js'

/** The recorded calls, with what a take's session says of them. */
export const TAKES = ['solo', 'meeting3', 'lossy', 'burst-loss', 'mutes', 'rejoin', 'ramp'] as const

export function takeFacts(name: (typeof TAKES)[number]): TakeSceneFacts {
  const file = new URL(`../../../../test/fixtures/${name}/session.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as TakeSceneFacts
}
