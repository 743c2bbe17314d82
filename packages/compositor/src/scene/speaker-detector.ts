import { LONG_STEPS, LoudnessTracker, MEDIUM_STEPS, STEP_US } from './loudness-tracker.js'
import { StepHistory } from './step-history.js'

/** How a detector behaves. */
export interface SpeakerDetectorOptions {
  /**
   * What is answered for a time is known from levels so long before it, in microseconds: levels of different people
   * may come late by so much, against each other and against the question, without a change of any answer.
   * @defaultValue 100,000
   */
  readonly lookBackUs?: number
}

/** Counters since the start. */
export interface SpeakerDetectorStats {
  readonly levels: number
  /** Levels that came after the answer that they belong to, or not in order of time. They are left out. */
  readonly lateLevels: number
  /** Levels of more people than are listened to. */
  readonly refusedLevels: number
}

/** Nobody takes over from a silent speaker with less than 300 ms of speech within 500 ms: a cough or a beep is shorter. */
const TAKE_OVER_STEPS = 15
/** Nobody takes over from one who speaks without speaking for 700 ms of a whole second … */
const TALK_OVER_STEPS = 35
/** … and being four times as loud (6 dB) throughout: of two who talk at once neither is, for long. */
const TALK_OVER_ENERGY = 4
/** Whoever has taken over stays for 2 s: no viewer follows faster changes. */
const TENURE_STEPS = 2_000_000 / STEP_US
/** Levels that lie so far (5 s) before the newest are evaluated without a question, so that few have to be kept. */
const LEAD_STEPS = 5_000_000 / STEP_US
/** As many people as anybody listens to; beyond that a broken host could fill memory. */
const MAX_VOICES = 10_000

interface Voice {
  /** Absent before the first level and after having left. */
  tracker: LoudnessTracker | undefined
  /** What has come and was not evaluated: a level, or `undefined` for a leave. */
  readonly queue: { readonly step: number; readonly dbfs: number | undefined }[]
  newestStep: number
  lastSpokeStep: number
  readonly speaking: StepHistory<boolean>
}

/**
 * Who speaks, by the loudness of each, without flicker. It depends on the levels alone: not on the order in which those
 * of different people come, nor on when it is asked. Times asked for must not decrease.
 */
export class SpeakerDetector {
  readonly #lookBackUs: number
  readonly #voices = new Map<string, Voice>()
  readonly #active = new StepHistory<string | undefined>(undefined)
  #evaluatedStep = -1
  #tenureStep = Number.NEGATIVE_INFINITY
  readonly #stats = { levels: 0, lateLevels: 0, refusedLevels: 0 }

  constructor({ lookBackUs = 100_000 }: SpeakerDetectorOptions = {}) {
    this.#lookBackUs = lookBackUs
  }

  get stats(): SpeakerDetectorStats {
    return { ...this.#stats }
  }

  /**
   * How loud somebody was in the 20 ms that `atUs` (recording time) lies in: RMS in dBFS, 0 for a full-scale square
   * wave and anything below for less. Times of one person must not decrease; of several levels in 20 ms the loudest
   * counts.
   */
  level(participantId: string, atUs: number, dbfs: number): void {
    const step = Math.floor(atUs / STEP_US)
    const voice = this.#voices.get(participantId) ?? this.#newVoice(participantId)
    if (voice === undefined) {
      this.#stats.refusedLevels++
      return
    }
    if (step <= this.#evaluatedStep || step < voice.newestStep || Number.isNaN(dbfs)) {
      this.#stats.lateLevels++
      return
    }
    this.#stats.levels++
    voice.newestStep = step
    voice.queue.push({ step, dbfs })
    this.#evaluate(step - LEAD_STEPS)
  }

  /** Somebody is gone; a level that comes later is of somebody new. */
  leave(participantId: string, atUs: number): void {
    const voice = this.#voices.get(participantId)
    if (voice === undefined) return
    const step = Math.max(Math.floor(atUs / STEP_US), this.#evaluatedStep + 1, voice.newestStep)
    voice.newestStep = step
    voice.queue.push({ step, dbfs: undefined })
  }

  /** Works out everything up to `timeUs`. Asking does that, too. */
  advance(timeUs: number): void {
    this.#forget(this.#look(timeUs))
  }

  /** Who speaks at `timeUs` of recording time, or spoke last and is still there. */
  activeSpeakerAt(timeUs: number): string | undefined {
    const step = this.#look(timeUs)
    this.#forget(step)
    return this.#active.take(step)
  }

  /** Whether somebody speaks at `timeUs`, alone or with others. */
  isSpeaking(participantId: string, timeUs: number): boolean {
    const step = this.#look(timeUs)
    return this.#voices.get(participantId)?.speaking.take(step) ?? false
  }

  #newVoice(participantId: string): Voice | undefined {
    if (this.#voices.size >= MAX_VOICES) return undefined
    const voice: Voice = {
      tracker: undefined,
      queue: [],
      newestStep: Number.NEGATIVE_INFINITY,
      lastSpokeStep: Number.NEGATIVE_INFINITY,
      speaking: new StepHistory(false),
    }
    this.#voices.set(participantId, voice)
    return voice
  }

  /** The last step that is over `lookBackUs` before `timeUs`; everything up to it is evaluated. */
  #look(timeUs: number): number {
    const step = Math.floor((timeUs - this.#lookBackUs) / STEP_US) - 1
    this.#evaluate(step)
    return step
  }

  #evaluate(upToStep: number): void {
    while (this.#evaluatedStep < upToStep) {
      const next = this.#nextStepWithChange()
      if (next > upToStep) {
        this.#evaluatedStep = upToStep
        return
      }
      this.#evaluatedStep = next
      this.#step(next)
    }
  }

  /** A pause of hours is not walked through in steps. */
  #nextStepWithChange(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { tracker, queue } of this.#voices.values()) {
      if (tracker !== undefined && !tracker.isAtRest) return this.#evaluatedStep + 1
      first = Math.min(first, queue[0]?.step ?? Number.POSITIVE_INFINITY)
    }
    return first
  }

  #step(step: number): void {
    for (const voice of this.#voices.values()) {
      let dbfs: number | undefined
      while (voice.queue[0] !== undefined && voice.queue[0].step <= step) {
        const item = voice.queue.shift()
        if (item?.dbfs === undefined) {
          dbfs = undefined
          voice.tracker = undefined
          voice.lastSpokeStep = Number.NEGATIVE_INFINITY
        } else {
          dbfs = Math.max(item.dbfs, dbfs ?? item.dbfs)
          voice.tracker ??= new LoudnessTracker()
        }
      }
      voice.tracker?.step(dbfs)
      const { tracker } = voice
      voice.speaking.set(step, tracker?.isSpeaking ?? false)
      // A cough is no speech that anybody would be remembered for.
      if (tracker?.isSpeaking && tracker.speechWithin(MEDIUM_STEPS).count >= TAKE_OVER_STEPS) voice.lastSpokeStep = step
    }
    const last = this.#active.last
    const current = last === undefined ? undefined : this.#voices.get(last)?.tracker
    if (current === undefined) this.#succeed(step)
    else if (step - this.#tenureStep >= TENURE_STEPS) this.#challenge(step, current)
  }

  /** Nobody is active: whoever speaks is, else whoever spoke last, which need not last long. */
  #succeed(step: number): void {
    const speaker = this.#loudest(MEDIUM_STEPS, TAKE_OVER_STEPS, 0)
    if (speaker !== undefined) this.#tenureStep = step
    this.#active.set(step, speaker ?? this.#spokeLast())
  }

  #challenge(step: number, current: LoudnessTracker): void {
    const challenger = current.isSpeaking
      ? this.#loudest(LONG_STEPS, TALK_OVER_STEPS, current.speechWithin(LONG_STEPS).energy * TALK_OVER_ENERGY)
      : this.#loudest(MEDIUM_STEPS, TAKE_OVER_STEPS, 0)
    if (challenger === undefined || challenger === this.#active.last) return
    this.#tenureStep = step
    this.#active.set(step, challenger)
  }

  /** Of those with enough speech in the last `steps` the loudest, with at least this energy. */
  #loudest(steps: number, minSpeechSteps: number, minEnergy: number): string | undefined {
    let best: string | undefined
    let bestEnergy = minEnergy
    for (const [id, { tracker }] of this.#voices) {
      if (tracker === undefined || tracker.isAtRest) continue
      const { count, energy } = tracker.speechWithin(steps)
      if (count < minSpeechSteps || energy < bestEnergy) continue
      if (energy === bestEnergy && best !== undefined && best < id) continue
      best = id
      bestEnergy = energy
    }
    return best
  }

  #spokeLast(): string | undefined {
    let best: string | undefined
    let bestStep = Number.NEGATIVE_INFINITY
    for (const [id, { tracker, lastSpokeStep }] of this.#voices) {
      if (tracker === undefined || lastSpokeStep < bestStep || lastSpokeStep === Number.NEGATIVE_INFINITY) continue
      if (lastSpokeStep === bestStep && best !== undefined && best < id) continue
      best = id
      bestStep = lastSpokeStep
    }
    return best
  }

  /** What no question concerns any more: those who are gone, and how it was before. */
  #forget(step: number): void {
    for (const [id, { tracker, queue, speaking, newestStep }] of this.#voices) {
      speaking.take(step)
      const isGone = tracker === undefined && queue.length === 0 && newestStep <= Math.min(step, this.#evaluatedStep)
      if (isGone && !speaking.last) this.#voices.delete(id)
    }
  }
}
