import type { AccessUnit, AudioFrame, SenderReport, SourceItem, TimedStage } from '@rushes/media'
import type { RtpInput } from '../src/index.js'

/** Runs inputs through a depacketizer to its end. */
export function collect(stage: TimedStage<RtpInput, SourceItem>, inputs: Iterable<RtpInput>): SourceItem[] {
  const items: SourceItem[] = []
  const emit = (item: SourceItem): void => void items.push(item)
  for (const input of inputs) stage.push(input, emit)
  stage.flush(emit)
  return items
}

export function accessUnitsOf(items: readonly SourceItem[]): AccessUnit[] {
  return items.filter((item) => item.type === 'access-unit')
}

export function audioFramesOf(items: readonly SourceItem[]): AudioFrame[] {
  return items.filter((item) => item.type === 'audio-frame')
}

export function senderReportsOf(items: readonly SourceItem[]): SenderReport[] {
  return items.filter((item) => item.type === 'sender-report')
}
