import type { Random } from '../../long/seeded-random.js'
import type { Mutator } from '../fuzz-target.js'
import { mutateBytes, pick } from './bytes.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const TOKENS: readonly string[] = [
  '',
  '0',
  '-1',
  '-0',
  '1e309',
  '9007199254740993',
  '4294967296',
  '65536',
  '0.1e-9',
  'NaN',
  'Infinity',
  '0x10',
  'null',
  'true',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\u2028',
  '\ud800',
  '😀',
  '"',
  '\\',
  ',',
  ';',
  '=',
  ':',
  '/',
  ' ',
  '\t',
  '\r',
  '\n',
  '../..',
  'a'.repeat(300),
  ' '.repeat(2000),
  '0'.repeat(400),
]

/** Lines and words moved, doubled, replaced and left out: for SDP, playlists and lines of JSON. */
export const mutateText: Mutator = (input, random, corpus) => {
  if (random.integer(4) === 0) return mutateBytes(input, random, corpus)
  let text = decoder.decode(input)
  const steps = 1 + random.integer(4)
  for (let step = 0; step < steps; step++) {
    text = random.integer(2) === 0 ? mutateLines(text, random, corpus) : mutateWord(text, random)
  }
  return encoder.encode(text.slice(0, 65_536))
}

function mutateLines(text: string, random: Random, corpus: readonly Uint8Array[]): string {
  const lines = text.split('\n')
  const at = random.integer(lines.length)
  const kind = random.integer(5)
  if (kind === 0) lines.splice(at, 1)
  else if (kind === 1) lines.splice(at, 0, ...new Array<string>(1 + random.integer(3)).fill(lines[at]!))
  else if (kind === 2) lines.splice(random.integer(lines.length), 0, ...lines.splice(at, 1))
  else if (kind === 3) lines.splice(at, 0, pick(random, decoder.decode(pick(random, corpus)).split('\n')))
  else lines[at] = lines[at]!.slice(0, random.integer(lines[at]!.length + 1))
  return lines.join('\n')
}

function mutateWord(text: string, random: Random): string {
  const words = [...text.matchAll(/[A-Za-z0-9_.+-]+/g)]
  if (words.length === 0) return text + pick(random, TOKENS)
  const { 0: word, index } = pick(random, words)
  const kind = random.integer(4)
  const other = kind === 0 ? pick(random, words)[0] : pick(random, TOKENS)
  const replacement = kind === 1 ? word + other : kind === 2 ? other + word : other
  return text.slice(0, index) + replacement + text.slice(index + word.length)
}

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'x',
  '__proto__',
  '../x',
  '.',
  'a'.repeat(400),
  '\u0000',
  '\ud800',
  '2026-02-30T25:61:00Z',
  [],
  [null],
  {},
  { id: 1 },
]

/** JSON stays JSON: a value somewhere in it is replaced, renamed, doubled or removed. */
export const mutateJson: Mutator = (input, random, corpus) => {
  if (random.integer(3) === 0) return mutateText(input, random, corpus)
  let root: unknown
  try {
    root = JSON.parse(decoder.decode(input))
  } catch {
    return mutateText(input, random, corpus)
  }
  const steps = 1 + random.integer(3)
  for (let step = 0; step < steps; step++) mutateValue(root, random)
  return encoder.encode(JSON.stringify(root))
}

function mutateValue(root: unknown, random: Random): void {
  let parent: unknown
  let key = ''
  let value = root
  // Down a random path, to its end or not.
  while (typeof value === 'object' && value !== null && (parent === undefined || random.integer(5) > 0)) {
    const keys = Object.keys(value)
    if (keys.length === 0) break
    parent = value
    key = pick(random, keys)
    value = (value as Record<string, unknown>)[key]
  }
  if (typeof parent !== 'object' || parent === null) return
  const kind = random.integer(6)
  const define = (name: string, content: unknown): void => {
    Object.defineProperty(parent, name, { value: content, enumerable: true, configurable: true, writable: true })
  }
  if (Array.isArray(parent)) {
    if (kind === 0) parent.splice(Number(key), 1)
    else if (kind === 1) parent.push(structuredClone(value))
    else parent[Number(key)] = structuredClone(pick(random, VALUES))
  } else if (kind === 0) Reflect.deleteProperty(parent, key)
  else if (kind === 1)
    define(pick(random, ['__proto__', 'constructor', 'id', 'file', 'length', '65536', '-1']), structuredClone(value))
  else if (kind === 2 && typeof value === 'number') define(key, -value)
  else if (kind === 3 && typeof value === 'string') define(key, value + value)
  else define(key, structuredClone(pick(random, VALUES)))
}
