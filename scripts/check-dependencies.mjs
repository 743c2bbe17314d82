// Who may import whom. The order of the packages is the architecture: a package knows only those above its own row.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { modulesLoadedBy } from './workspace/loaded-modules.mjs'
import { publishedPackages, root } from './workspace/root.mjs'

const rows = [
  'media',
  'bitstream',
  'rtp-depacketizer',
  'h264-ts-muxer',
  'mp4-writer',
  'hls-segmenter',
  'naming-rules',
  'storage-adapters',
  'take',
  'codecs',
  'compositor',
  'render',
  'ingest',
  'notifiers',
  'recorder',
  'jobs',
  'rest-api',
  'testkit',
  'cli',
]

// An embedder pays for what it imports: these load nothing that others wrote.
const withoutThirdParty = [
  'media',
  'bitstream',
  'rtp-depacketizer',
  'h264-ts-muxer',
  'mp4-writer',
  'naming-rules',
  'take',
]

// Computation only. What else they must not touch stands in .oxlintrc.json, which cannot tell `new Date()` from
// `new Date(ms)`.
const cores = ['media', 'bitstream', 'rtp-depacketizer', 'h264-ts-muxer', 'hls-segmenter', 'naming-rules']

const problems = []
const scope = '@rushes/'

for (const { name, folder, path, manifest } of publishedPackages()) {
  const row = rows.indexOf(folder)
  if (row < 0 || name !== scope + folder) {
    problems.push(`packages/${folder}: ${name} has no row in scripts/check-dependencies.mjs`)
    continue
  }
  checkManifest(folder, row, manifest)
  checkReferences(folder, manifest, path)
  for (const file of sourcesOf(path)) checkSource(folder, row, path, file)
  if (withoutThirdParty.includes(folder)) checkLoaded(name)
}

for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

function checkManifest(folder, row, manifest) {
  // Tests may use whatever they like: devDependencies are not looked at.
  const dependencies = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  })
  for (const name of dependencies) checkDirection(`packages/${folder}/package.json`, folder, row, name)
}

function checkSource(folder, row, path, file) {
  const place = relative(root, file).split(sep).join('/')
  const text = withoutComments(readFileSync(file, 'utf8'))
  for (const name of importsIn(text)) {
    if (name.startsWith('node:')) continue
    if (name.startsWith('.')) {
      if (!resolve(dirname(file), name).startsWith(join(path, 'src') + sep)) {
        problems.push(`${place}: imports ${name}, outside of the package's own src`)
      }
    } else {
      checkDirection(place, folder, row, name)
    }
  }
  if (cores.includes(folder) && /\bnew Date\(\s*\)/.test(text)) {
    problems.push(`${place}: reads the clock with new Date(); time comes in as an argument`)
  }
}

function checkDirection(place, folder, row, name) {
  if (!name.startsWith(scope)) {
    if (withoutThirdParty.includes(folder)) problems.push(`${place}: ${folder} has no third-party modules, but ${name}`)
    return
  }
  const other = name.slice(scope.length).split('/')[0]
  if (rows.indexOf(other) < 0) problems.push(`${place}: ${name} is no package of this workspace`)
  else if (rows.indexOf(other) >= row)
    problems.push(`${place}: ${folder} may not import ${other}, which is not above it`)
}

/** `tsc -b` builds in the order of the references: they must say what package.json says. */
function checkReferences(folder, manifest, path) {
  const { references = [] } = JSON.parse(readFileSync(join(path, 'tsconfig.json'), 'utf8'))
  const referenced = references.map((reference) => scope + reference.path.replace('../', '')).sort()
  const depended = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    .filter((name) => name.startsWith(scope))
    .sort()
  if (referenced.join() !== depended.join()) {
    problems.push(
      `packages/${folder}/tsconfig.json: references are ${referenced.join(', ') || 'none'}; package.json depends on ${depended.join(', ') || 'none'}`,
    )
  }
}

/** What is claimed of the sources is also true of what runs: the built package is loaded, and its modules are listed. */
function checkLoaded(name) {
  const { urls, error } = modulesLoadedBy(name)
  if (error !== undefined) problems.push(`${name}: cannot be loaded: ${error}`)
  const own = `${pathToFileURL(join(root, 'packages'))}/`
  for (const url of urls) {
    const isOurs = url.startsWith(own) && !url.includes('/node_modules/')
    if (!url.startsWith('node:') && !isOurs) problems.push(`${name}: importing it loads ${url}`)
  }
}

function sourcesOf(path) {
  return readdirSync(join(path, 'src'), { recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(path, 'src', file))
}

function* importsIn(text) {
  const patterns = [
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\b(?:import|require|resolve)\s*\(\s*['"]([^'"]+)['"]/g,
  ]
  for (const pattern of patterns) for (const match of text.matchAll(pattern)) yield match[1]
}

/** Examples in doc comments import what they like. Strings are kept, so that a `//` within one ends nothing. */
function withoutComments(text) {
  return text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_match, string) => string ?? ' ',
  )
}
