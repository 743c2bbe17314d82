// Changesets are read when a release is made, long after they were written: what would fail then fails now. Offline, and
// on any commit, unlike `changeset status`, which wants to know what the main branch was.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publishedPackages, root } from './workspace/root.mjs'

const folder = join(root, '.changeset')
const names = new Set(publishedPackages().map(({ name }) => name))
const problems = []

for (const file of readdirSync(folder)) {
  if (!file.endsWith('.md') || file === 'README.md') continue
  const say = (text) => problems.push(`.changeset/${file}: ${text}`)
  const parts = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(readFileSync(join(folder, file), 'utf8'))
  if (parts === null) {
    say('does not begin with a list of packages between lines of ---')
    continue
  }
  const [, releases, summary] = parts
  for (const line of releases.split('\n')) {
    const release = /^["']?([^"':]+)["']?: (major|minor|patch)$/.exec(line)
    if (release === null) say(`"${line}" is not of the form "package": major|minor|patch`)
    else if (!names.has(release[1])) say(`${release[1]} is not a published package of this workspace`)
  }
  if (summary.trim() === '') say('has no sentence for the users')
}

for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
