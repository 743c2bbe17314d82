import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EncodedSample, OutputObject, Stage, TimedItem } from '@rushes/media'
import { checkHls, formatFindings } from '@rushes/testkit'

/** Feeds a segmenter and keeps its objects in a folder, as a store would. */
export function record(
  stage: Stage<TimedItem, OutputObject>,
  items: readonly TimedItem[],
  folder: string,
): OutputObject[] {
  const objects: OutputObject[] = []
  const emit = (object: OutputObject): void => {
    objects.push(object)
    const file = join(folder, object.name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, Buffer.concat(object.body))
  }
  for (const item of items) stage.push(item, emit)
  stage.flush(emit)
  return objects
}

/** What checkHls says of the folder. It does not look into samples of other codecs than H264, AAC and Opus. */
export async function findingsOf(folder: string): Promise<string> {
  const findings = await checkHls({ entry: 'index.m3u8', read: (uri) => readFileSync(join(folder, uri)) })
  return formatFindings(findings.filter(({ rule }) => rule !== 'sample-entry'))
}

/** Leaves out what lies in [from, to) seconds, as a mute does. */
export function muted(samples: readonly EncodedSample[], timescale: number, from: number, to: number): EncodedSample[] {
  return samples.filter(({ pts }) => pts < from * timescale || pts >= to * timescale)
}
