import Hls from './hls.js'

const hues = ['#3e63dd', '#12a594', '#e54666', '#f76b15', '#8e4ec6', '#0090ff']
const find = (id) => document.getElementById(id)
const cards = new Map()
let everyone

/** Asks the demo how it stands, twice a second while it records, and stops when nothing can change any more. */
async function follow() {
  let status
  try {
    const response = await fetch('/status.json', { cache: 'no-store' })
    status = await response.json()
  } catch {
    showState('gone', 'The demo has ended')
    return
  }
  show(status)
  const isOver = status.state === 'ready' || status.state === 'failed'
  setTimeout(() => void follow(), isOver ? 5000 : 500)
}

function show(status) {
  showHeader(status)
  if (everyone === undefined) {
    everyone = createEveryone()
    find('everyone').append(everyone.element)
  }
  everyone.update(status)
  showTimeline(status)
  find('alone').hidden = status.participants.length === 0
  for (const [index, participant] of status.participants.entries()) {
    let card = cards.get(participant.id)
    if (card === undefined) {
      card = createCard(participant, hues[index % hues.length])
      cards.set(participant.id, card)
      find('cards').append(card.element)
    }
    card.update(participant, status)
  }
  if (status.manifest !== null && find('manifest').hidden) showManifest(status)
  if (status.earlier.length > 0 && find('earlier').hidden) showEarlier(status.earlier)
}

function showHeader({ state, recordedUs, recordingId, startedAt, participants, error }) {
  if (state === 'recording') showState(state, `Recording ${clock(recordedUs)}`)
  else if (state === 'finishing') showState('recording', 'Finishing')
  else if (state === 'ready') showState(state, `Ready, ${clock(whole(recordedUs))}`)
  else showState('failed', 'Failed')
  const day = new Date(startedAt).toLocaleDateString(undefined, { day: 'numeric', month: 'long', year: 'numeric' })
  find('recording-id').textContent = recordingId
  find('summary').textContent =
    error ??
    (state === 'ready'
      ? `${participants.length} participants, recorded together and each on their own, as HLS and as MP4.`
      : `A call of ${day}, replayed as if it took place now. What you see is its recording while it is made: no packet is read back from the disk.`)
}

function showState(state, text) {
  const element = find('state')
  element.dataset.state = state
  element.lastElementChild.textContent = text
}

function showTimeline({ participants, recordedUs, expectedUs, manifest }) {
  const totalUs = manifest?.durationUs ?? Math.max(expectedUs, recordedUs)
  const share = (us) => `${((us / totalUs) * 100).toFixed(3)}%`
  const timeline = find('timeline')
  for (const [index, { id, name, joinedUs, leftUs }] of participants.entries()) {
    let row = timeline.children[index]
    if (row?.dataset.id !== id) {
      row = element('div', { className: 'row' }, [
        element('span', { textContent: name }),
        element('div', { className: 'track' }, [element('div', { className: 'span' })]),
      ])
      row.dataset.id = id
      row.style.setProperty('--hue', hues[index % hues.length])
      timeline.insertBefore(row, timeline.children[index] ?? null)
    }
    const span = row.querySelector('.span')
    span.style.left = share(joinedUs ?? 0)
    span.style.width = share(Math.max(0, (leftUs ?? recordedUs) - (joinedUs ?? 0)))
  }
  let scale = timeline.querySelector('.scale')
  if (scale === null && participants.length > 0) {
    scale = element('div', { className: 'scale' }, [element('span'), element('span')])
    timeline.append(element('div', { className: 'row' }, [element('span'), scale]))
  }
  if (scale !== null) {
    scale.firstElementChild.textContent = '0:00'
    scale.lastElementChild.textContent = clock(whole(totalUs))
  }
}

/** Everyone in one picture: what the page is about. */
function createEveryone() {
  const root = cardOf('composite', 'Everyone')
  const part = (selector) => root.querySelector(selector)
  const recording = recordingIn(root)
  return {
    element: root,
    update(status) {
      const { composite, manifest } = status
      recording.update(composite, status, false)
      part('.presence').textContent = 'One picture and one sound, composed while they talk.'
      if (manifest === null || !part('.chapters').hidden || manifest.chapters.length === 0) return
      const startUs = composite.outputs[0]?.startUs ?? 0
      part('.chapters ol').replaceChildren(
        ...manifest.chapters.map(({ atUs, label }) => {
          const button = element('button', { type: 'button' }, [
            element('time', { textContent: clock(whole(atUs)) }),
            element('span', { textContent: label }),
          ])
          button.addEventListener('click', () => {
            part('video').currentTime = Math.max(0, (atUs - startUs) / 1e6)
            void part('video').play()
          })
          return element('li', {}, [button])
        }),
      )
      part('.chapters').hidden = false
    },
  }
}

function createCard({ id, name }, hue) {
  const root = cardOf('card', name)
  const part = (selector) => root.querySelector(selector)
  root.dataset.participant = id
  root.style.setProperty('--hue', hue)
  part('.avatar').textContent = name.slice(0, 1)
  const recording = recordingIn(root)
  return {
    element: root,
    update(participant, status) {
      const { joinedUs, leftUs } = participant
      recording.update(participant, status, leftUs !== null)
      const from = clock(whole(joinedUs ?? 0))
      part('.presence').textContent =
        leftUs === null ? `In the call since ${from}` : `In the call ${from} to ${clock(whole(leftUs))}`
    },
  }
}

function cardOf(template, name) {
  const root = find(template).content.firstElementChild.cloneNode(true)
  root.querySelector('h2').textContent = name
  root.querySelector('video').ariaLabel = `Recording of ${name}`
  return root
}

/** What the cards have in common: the player, its badge, and what came out. */
function recordingIn(root) {
  const part = (selector) => root.querySelector(selector)
  let hasEnd = false
  let isPlaying = false
  return {
    update({ hls, segments, segmentBytes, outputs }, status, hasLeft) {
      if (hls !== null && !isPlaying) {
        isPlaying = true
        play(part('video'), hls, (ended) => {
          hasEnd = ended
        })
        part('video').addEventListener('loadeddata', () => part('.waiting').remove(), { once: true })
        part('.copy').addEventListener('click', (event) => copy(event.currentTarget, new URL(hls, location.href).href))
      }
      const isWhole = hasEnd || status.state === 'ready'
      const badge = hls === null ? 'waiting' : isWhole ? 'recorded' : hasLeft ? 'left' : 'live'
      part('.badge').dataset.badge = badge
      part('.badge').textContent = { waiting: '', recorded: 'Recorded', left: 'Left', live: 'LIVE' }[badge]
      const mp4 = outputs.find(({ container }) => container === 'mp4')
      if (mp4 === undefined) {
        part('.live-figures').textContent = segments === 0 ? '' : `${count(segments, 'segment')}, ${size(segmentBytes)}`
      } else if (status.manifest !== null && part('.actions').hidden) {
        part('.live-figures').textContent = ''
        showFigures(part('.figures'), mp4, status.manifest)
        part('.download').href = mp4.url
        part('.download').lastElementChild.textContent = `Download MP4 (${size(mp4.bytes)})`
        part('.actions').hidden = false
      }
    },
  }
}

/** Plays a playlist that may still grow; says at each load whether it has an end by now. */
function play(video, url, onLoaded) {
  video.muted = true
  const start = () => video.play().catch(() => {})
  if (!Hls.isSupported()) {
    video.src = url
    video.addEventListener('durationchange', () => onLoaded(Number.isFinite(video.duration)))
    start()
    return
  }
  // Whoever opens the page late sees what happens now; there is always enough before it to begin with.
  const hls = new Hls({ liveSyncDuration: 6, backBufferLength: Number.POSITIVE_INFINITY })
  hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => onLoaded(!details.live))
  hls.on(Hls.Events.MANIFEST_PARSED, start)
  hls.on(Hls.Events.ERROR, (_, { fatal, type }) => {
    if (!fatal) return
    if (type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError()
    else setTimeout(() => hls.startLoad(), 1000)
  })
  hls.loadSource(url)
  hls.attachMedia(video)
}

function showFigures(list, output, manifest) {
  const isOwn = ({ participantId }) => output.kind === 'composite' || participantId === output.participantId
  const repairs = manifest.repairs.filter(isOwn)
  const figures = [
    ['Length', seconds(output.durationUs)],
    ['Starts at', seconds(output.startUs)],
    ['Picture', output.video === undefined ? 'none' : `${output.video.width} × ${output.video.height}`],
    ['Sound', output.audio === undefined ? 'none' : sound(output.audio)],
    ['Codecs', [output.video?.codec, output.audio?.codec].filter(Boolean).join(', ')],
    ['Repairs', repairs.length === 0 ? 'none needed' : String(repairs.length)],
  ]
  list.replaceChildren(
    ...figures.map(([term, value]) =>
      element('div', {}, [element('dt', { textContent: term }), element('dd', { textContent: value })]),
    ),
  )
  list.hidden = false
}

function showManifest({ manifest, manifestUrl, composite, participants }) {
  const outputs = [{ ...composite, name: 'Everyone' }, ...participants].flatMap((recording) =>
    recording.outputs.map((output) => ({ ...output, name: recording.name })),
  )
  find('outputs').replaceChildren(
    ...outputs.map((output) =>
      element('tr', {}, [
        cell(output.name),
        element('td', {}, [element('span', { className: 'tag', textContent: output.container.toUpperCase() })]),
        cell(seconds(output.startUs), 'number'),
        cell(seconds(output.durationUs), 'number'),
        cell(size(output.bytes), 'number'),
        cell(output.video === undefined ? '' : `${output.video.width} × ${output.video.height}, ${output.video.codec}`),
        cell(output.audio === undefined ? '' : sound(output.audio)),
        element('td', { className: 'location' }, [element('a', { href: output.url, textContent: output.key })]),
      ]),
    ),
  )
  const actions = { 'held-picture': 'picture held', continued: 'decoded on', silence: 'silence', gap: 'gap' }
  const notes = [
    ...manifest.repairs.map(
      ({ trackId, startUs, endUs, action }) =>
        `${trackId}, ${seconds(startUs)} to ${seconds(endUs)}: ${actions[action]}`,
    ),
    ...manifest.warnings.map(({ message }) => message),
  ]
  if (notes.length === 0) notes.push('No repairs were needed, and there is nothing to warn of.')
  find('notes').replaceChildren(...notes.map((textContent) => element('li', { textContent })))
  find('manifest-link').href = manifestUrl
  find('manifest').hidden = false
}

function showEarlier(recordings) {
  find('earlier-list').replaceChildren(
    ...recordings.map(({ recordingId, durationUs, outputs }) =>
      element('li', {}, [
        element('span', { textContent: `${recordingId}, ${seconds(durationUs)}` }),
        element(
          'span',
          {},
          outputs.map(({ participantId, url, bytes }) =>
            element('a', { href: url, textContent: `${participantId ?? 'everyone'} (${size(bytes)})` }),
          ),
        ),
      ]),
    ),
  )
  find('earlier').hidden = false
}

async function copy(button, text) {
  await navigator.clipboard.writeText(text)
  const before = button.textContent
  button.textContent = 'Copied'
  setTimeout(() => {
    button.textContent = before
  }, 1500)
}

function element(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

const cell = (textContent, className = '') => element('td', { textContent, className })

/** To the nearest second: a time that stands still; one that runs changes when the second is over. */
function whole(us) {
  return Math.round(us / 1e6) * 1e6
}

function clock(us) {
  const passed = Math.floor(us / 1e6)
  return `${Math.floor(passed / 60)}:${String(passed % 60).padStart(2, '0')}`
}

function seconds(us) {
  return us < 60e6 ? `${(us / 1e6).toFixed(2)} s` : `${clock(us)} min`
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

function sound({ codec, sampleRate, channels }) {
  const name = codec.startsWith('mp4a.40') ? 'AAC' : codec === 'opus' ? 'Opus' : codec
  return `${name}, ${sampleRate / 1000} kHz ${channels === 1 ? 'mono' : 'stereo'}`
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

void follow()
