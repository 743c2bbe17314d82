import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const packages = readdirSync(here('./packages')).filter((name) => existsSync(here(`./packages/${name}/package.json`)))

// The condition lets tests run on the sources: no build is needed before them, and a stack names the line one edits.
const conditions = ['@rushes/source', 'node', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    setupFiles: [here('./vitest.setup.ts')],
    reporters: ['default', here('./scripts/closing-line.mjs')],
    testTimeout: 120_000,
    // A test that passes at the second try has failed.
    retry: 0,
    // Processes and not threads: native codecs do not survive the end of a worker thread. By default one core of two
    // would stand idle.
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      ...packages.map((name) => ({
        extends: true as const,
        test: { name, root: here(`./packages/${name}`), include: ['test/**/*.test.ts'] },
      })),
      { extends: true as const, test: { name: 'examples', root: here('./examples'), include: ['**/*.test.ts'] } },
      {
        extends: true as const,
        test: {
          name: 'test',
          root: here('./test'),
          include: ['**/*.test.ts'],
          exclude: [
            '**/node_modules/**',
            // Senders of others in real time, for minutes: `pnpm long:foreign`.
            ...(process.env['RUSHES_FOREIGN'] === undefined ? ['foreign/**'] : []),
            // A bucket of somebody: docs/s3.md of storage-adapters.
            ...(process.env['RUSHES_AWS_BUCKET'] === undefined ? ['storage/s3-aws.test.ts'] : []),
          ],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // Browsers and encoders keep all cores busy by themselves: one file at a time, after all others.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
