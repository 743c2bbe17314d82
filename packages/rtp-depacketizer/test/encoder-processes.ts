import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Senders and decoders that are not ours, as processes. */

/** GStreamer and ffmpeg are installed. */
export const hasEncoders: boolean = ['gst-launch-1.0', 'ffmpeg', 'ffprobe'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
)

/** Runs a GStreamer pipeline to its end. */
export function launch(description: string): void {
  const { status, stderr } = spawnSync('gst-launch-1.0', ['-q', ...description.trim().split(/\s+/)], {
    timeout: 60_000,
  })
  if (status !== 0) throw new Error(`gst-launch-1.0: ${stderr.toString()}`)
}

/**
 * What ends a GStreamer pipeline that {@link readPackets} reads. Unbuffered: filesink 1.22 loses parts of buffers at the
 * edge of its own 64 KiB.
 */
export function packetSink(path: string): string {
  return `rtpstreampay ! filesink buffer-mode=unbuffered location=${path}`
}

/** Packets behind their lengths (RFC 4571), as rtpstreampay writes them. */
export function readPackets(path: string): Uint8Array[] {
  const file = readFileSync(path)
  const packets: Uint8Array[] = []
  for (let offset = 0; offset < file.length; ) {
    const length = file.readUInt16BE(offset)
    packets.push(file.subarray(offset + 2, offset + 2 + length))
    offset += 2 + length
  }
  return packets
}

/** Runs ffmpeg to its end. */
export function ffmpeg(...args: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], { maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`ffmpeg: ${stderr.toString()}`)
  return stdout
}

/** RTP and RTCP that ffmpeg sends, `args` being all but its output; they come over the loopback interface. */
export async function receiveFromFfmpeg(...args: string[]): Promise<Uint8Array[]> {
  const socket = createSocket('udp4')
  try {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    socket.setRecvBufferSize(1 << 20)
    const packets: Uint8Array[] = []
    socket.on('message', (message) => packets.push(new Uint8Array(message)))
    const { port } = socket.address()
    const url = `rtp://127.0.0.1:${port}?rtcpport=${port}&pkt_size=1000`
    const sender = spawn('ffmpeg', ['-v', 'error', '-y', ...args, '-f', 'rtp', url], { stdio: 'ignore' })
    const [status] = await once(sender, 'exit')
    if (status !== 0) throw new Error(`ffmpeg ended with ${status}`)
    // What it sent is in the socket by now; two turns of the event loop read it.
    for (let before = -1; before < packets.length; ) {
      before = packets.length
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return packets
  } finally {
    socket.close()
  }
}

/** Checksums of the decoded pictures of an H265 byte stream, in output order, and what ffmpeg has to say. */
export function decodeHevc(stream: Uint8Array): { messages: string; pictures: string[] } {
  const args = ['-v', 'warning', '-threads', '1', '-f', 'hevc', '-i', 'pipe:0']
  const { stderr, stdout } = spawnSync('ffmpeg', [...args, '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1'], {
    input: stream,
    maxBuffer: 1 << 26,
  })
  const lines = stdout.toString().split('\n')
  return {
    messages: stderr.toString(),
    pictures: lines.filter((line) => line.startsWith('0,')).map((line) => line.slice(line.lastIndexOf(',') + 1).trim()),
  }
}
