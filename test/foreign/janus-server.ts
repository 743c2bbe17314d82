import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Program, start, until } from './processes.js'

/** Where Debian puts its modules. */
const MODULES = '/usr/lib/x86_64-linux-gnu/janus'
const OTHER_PLUGINS = 'audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail'
const OTHER_TRANSPORTS = 'mqtt nanomsg pfunix rabbitmq websockets'

/** A Janus of its own, with the VideoRoom and the HTTP interface, and nothing of the system's configuration. */
export async function startJanus(dir: string, port: number): Promise<Program> {
  const config = join(dir, 'config')
  const modules = (names: string): string =>
    names
      .split(' ')
      .map((name) => `libjanus_${name}.so`)
      .join()
  mkdirSync(config, { recursive: true })
  writeFileSync(
    join(config, 'janus.jcfg'),
    `general: { configs_folder = "${config}" plugins_folder = "${MODULES}/plugins"
      transports_folder = "${MODULES}/transports" events_folder = "${config}" loggers_folder = "${config}"
      server_name = "test" debug_level = 3 }
    plugins: { disable = "${modules(OTHER_PLUGINS)}" }
    transports: { disable = "${modules(OTHER_TRANSPORTS)}" }`,
  )
  writeFileSync(
    join(config, 'janus.transport.http.jcfg'),
    `general: { base_path = "/janus" http = true port = ${port} ip = "127.0.0.1" }`,
  )
  const janus = start('janus', ['--configs-folder', config, '--config', join(config, 'janus.jcfg')])
  await until('Janus answers', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/janus/info`).catch(() => undefined)
    return answer?.ok === true
  })
  return janus
}
