import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { capture, withSignals } from './command.mjs'
import { withLock } from './lock.mjs'
import { ExpectedError, publishedPackages, readJson, root } from './root.mjs'

// The one place where the version of pnpm is written is the root's package.json.
const pnpmVersion = readJson('package.json').devDependencies.pnpm
const stampPath = join(root, 'node_modules', '.rushes-installed')
const isWindows = process.platform === 'win32'

/** Dependencies installed as the lockfile says, and packages built if `build`; does nothing that is already done. */
export async function prepare({ build, say }) {
  await withSignals(() =>
    withLock(
      async () => {
        await install(say)
        if (build) await buildPackages()
      },
      { onWait: () => say('Another command is setting up this workspace; waiting for it …') },
    ),
  )
}

async function install(say) {
  const wanted = stampOf()
  if (readStamp() === wanted) return
  say('Installing dependencies (only the first time, and when they change) …')
  const started = Date.now()
  const [command, ...prefix] = await findPnpm()
  const args = [...prefix, 'install', '--frozen-lockfile', '--reporter=append-only']
  const { code, output } = await capture(command, args, { env: environment(), shell: isWindows && command === 'npx' })
  if (code !== 0) throw new ExpectedError(explain(output))
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stampPath, wanted)
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`)
}

/** What an installation depends on: the lockfile, its settings, and the platform whose binaries were chosen. */
function stampOf() {
  const hash = createHash('sha256').update(`${pnpmVersion} ${process.platform} ${process.arch} ${root}`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function readStamp() {
  try {
    return readFileSync(stampPath, 'utf8')
  } catch {
    return undefined
  }
}

/** The pnpm of the workspace, else one on the PATH of exactly the wanted version, else npx brings it. */
async function findPnpm() {
  const own = join(root, 'node_modules', 'pnpm')
  if (existsSync(join(own, 'package.json'))) {
    const { version } = readJson('node_modules', 'pnpm', 'package.json')
    if (version === pnpmVersion) return [process.execPath, join(own, 'bin', 'pnpm.cjs')]
  }
  // A corepack shim would go and download some version of its own: only a real pnpm is asked for its version.
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'pnpm'))
    .find((file) => existsSync(file))
  if (!isWindows && onPath !== undefined && !realpathSync(onPath).includes('corepack')) {
    const { code, output } = await capture(onPath, ['--version'], { env: environment() })
    if (code === 0 && output.trim() === pnpmVersion) return [onPath]
  }
  return ['npx', '-y', `pnpm@${pnpmVersion}`]
}

function environment() {
  // `npm run -s` hands its silence on, and an error without words cannot be explained.
  return { ...process.env, npm_config_loglevel: 'warn', npm_config_update_notifier: 'false' }
}

const networkFailure =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL|SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT/

function explain(output) {
  const tail = output.trim().split('\n').slice(-15).join('\n')
  const failure = networkFailure.exec(output)
  if (failure !== null) {
    return `The npm registry could not be reached (${failure[0]}). Dependencies are fetched once, the first time. Check the network, the proxy (HTTPS_PROXY) and the registry ("npm config get registry"), then run this again.\n\n${tail}`
  }
  if (output.includes('ERR_PNPM_OUTDATED_LOCKFILE')) {
    return `pnpm-lock.yaml does not fit the package.json files. Run "npx -y pnpm@${pnpmVersion} install" and commit the lockfile.\n\n${tail}`
  }
  return `The dependencies could not be installed.\n\n${tail}`
}

async function buildPackages() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const projects = publishedPackages().map(({ path }) => path)
  // An up-to-date build costs well under a second, and only the compiler knows for sure that it is one.
  const { code, output } = await capture(process.execPath, [compiler, '-b', ...projects])
  if (code !== 0) throw new ExpectedError(`The packages could not be built.\n\n${output.trim()}`)
}
