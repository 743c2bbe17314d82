import { spawnSync } from 'node:child_process'
import { root } from './root.mjs'

// Runs in a process of its own: a hook sees every module that is resolved, require.cache the CommonJS ones.
const program = `
  import { createRequire, register } from 'node:module'
  import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
  const { port1, port2 } = new MessageChannel()
  const hook = \`
    let port
    export function initialize(data) { port = data.port }
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context)
      port.postMessage(resolved.url)
      return resolved
    }\`
  register('data:text/javascript,' + encodeURIComponent(hook), { data: { port: port2 }, transferList: [port2] })
  await import(process.argv[1])
  const urls = new Set()
  for (let message = receiveMessageOnPort(port1); message !== undefined; message = receiveMessageOnPort(port1)) urls.add(message.message)
  for (const file of Object.keys(createRequire(import.meta.url).cache)) urls.add('file://' + file)
  console.log(JSON.stringify([...urls]))
  process.exit(0)
`

/**
 * The modules that the import of `name` loads in a fresh process, as URLs. With `folder` the name is resolved from
 * there; the root of the workspace has no package of its own among its dependencies, so that by default the package's
 * folder is taken.
 */
export function modulesLoadedBy(name, folder = `${root}/packages/${name.split('/')[1]}`) {
  const result = spawnSync(process.execPath, ['--input-type=module', '--eval', program, name], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (result.status !== 0) return { urls: [], error: result.stderr.trim() }
  return { urls: JSON.parse(result.stdout) }
}
