import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { freePorts } from '../../ingest/test/udp/free-port.js'

/** Programs of others that send RTP, and that judge what came out. */
export const hasTools: boolean = ['gst-launch-1.0', 'ffmpeg', 'ffprobe'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
)

const running = new Set<ChildProcess>()

/** Ends all senders: with SIGTERM they say goodbye. */
export function stopSenders(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): void {
  for (const sender of running) sender.kill(signal)
}

/** Sends with ffmpeg from now on: a test picture and a tone. Resolves when its session description is written. */
export async function sendWithFfmpeg(sdp: string): Promise<void> {
  const port = await freePorts(4)
  const picture = '-re -f lavfi -i testsrc=size=320x240:rate=25'
  const tone = '-re -f lavfi -i sine=frequency=440:sample_rate=48000'
  const video = `-map 0 -c:v libx264 -preset ultrafast -tune zerolatency -g 25 -pix_fmt yuv420p -f rtp rtp://127.0.0.1:${port}`
  const audio = `-map 1 -c:a libopus -b:a 64k -f rtp rtp://127.0.0.1:${port + 2}`
  const args = `-nostdin -v error ${picture} ${tone} ${video} ${audio} -sdp_file ${sdp}`
  run('ffmpeg', args.split(' '))
  while (!existsSync(sdp) || !readFileSync(sdp, 'utf8').includes('m=audio')) await pause(10)
}

/** Sends with GStreamer from now on; with the reports of rtpbin. */
export function sendWithGstreamer(ports: { readonly video: number; readonly audio: number }): void {
  const video = [
    'videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=25/1',
    '! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay pt=96 config-interval=-1',
    `! r.send_rtp_sink_0 r.send_rtp_src_0 ! udpsink host=127.0.0.1 port=${ports.video}`,
    `r.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=${ports.video + 1} sync=false async=false`,
  ]
  const audio = [
    'audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=111',
    `! r.send_rtp_sink_1 r.send_rtp_src_1 ! udpsink host=127.0.0.1 port=${ports.audio}`,
    `r.send_rtcp_src_1 ! udpsink host=127.0.0.1 port=${ports.audio + 1} sync=false async=false`,
  ]
  run('gst-launch-1.0', ['-q', ...`rtpbin name=r ${video.join(' ')} ${audio.join(' ')}`.split(' ')])
}

function run(command: string, args: readonly string[]): void {
  const child = spawn(command, args, { stdio: 'ignore' })
  running.add(child)
  child.on('close', () => running.delete(child))
}

/** What ffprobe says of a file: codecs, and packets of each. */
export function probe(path: string): { readonly codecs: string[]; readonly durationS: number } {
  const args = ['-v', 'error', '-show_entries', 'format=duration:stream=codec_name', '-of', 'json', path]
  const { stdout, stderr } = spawnSync('ffprobe', args, { encoding: 'utf8' })
  if (stderr !== '') throw new Error(`${path}: ${stderr}`)
  const { format, streams } = JSON.parse(stdout) as {
    format: { duration: string }
    streams: { codec_name: string }[]
  }
  return { codecs: streams.map(({ codec_name }) => codec_name).sort(), durationS: Number(format.duration) }
}

/** Decodes all of a file; returns what the decoders complain of. */
export function decode(path: string): string {
  const asItIs = ['-fps_mode', 'passthrough', '-enc_time_base', '-1', '-f', 'null', '-']
  return spawnSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', path, ...asItIs], { encoding: 'utf8' }).stderr
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
