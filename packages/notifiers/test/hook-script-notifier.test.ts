import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RecordingEvent, RecordingEventData } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import type { DeliveryReport } from '../src/delivery.js'
import {
  createHookScriptNotifier,
  type HookScriptNotifier,
  type HookScriptNotifierOptions,
  type ScriptOutput,
} from '../src/hook-script-notifier.js'
import { eventOf, temporaryFolder, until } from './event-fixtures.js'

function scriptOf(text: string, name = 'hook.sh'): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

async function open(
  path: string,
  options: Partial<HookScriptNotifierOptions> = {},
): Promise<{ notifier: HookScriptNotifier; reports: DeliveryReport[]; outputs: ScriptOutput[] }> {
  const reports: DeliveryReport[] = []
  const outputs: ScriptOutput[] = []
  const notifier = await createHookScriptNotifier({
    path,
    journalDir: temporaryFolder(),
    backoff: { firstMs: 10 },
    onDelivery: (report) => reports.push(report),
    onOutput: (output) => outputs.push(output),
    ...options,
  })
  return { notifier, reports, outputs }
}

/** A LINK event of one finished file. */
function link(sequence: number, location: string, data: RecordingEventData = {}): RecordingEvent {
  return eventOf('r', sequence, 'LINK', { participantId: 'alice', location, final: true, ...data })
}

const printArguments = 'for argument; do printf "%s\\n" "<$argument>"; done'

describe('a hook script', () => {
  it('gets the stream and the path of each finished file, once', async () => {
    const { notifier, outputs } = await open(scriptOf(printArguments))
    await notifier.notify(link(1, '/recordings/a.mp4', { final: false }))
    await notifier.notify(link(2, '/recordings/a.mp4'))
    await notifier.notify(link(3, 'https://bucket.example/b.mp4'))
    const outputsOfReady = [
      { participantId: 'alice', container: 'mp4', key: 'a.mp4', location: 'file:///recordings/a.mp4', final: true },
      { participantId: 'bob', container: 'mp4', key: 'b.mp4', location: 'file:///recordings/b%20c.mp4' },
      { container: 'hls', key: 'all.m3u8', location: '/recordings/all.m3u8' },
      { container: 'hls', key: 'x.m3u8', location: 's3://bucket/x.m3u8' },
      { container: 'hls', key: 'y.m3u8', location: 'file://host/y.m3u8' },
      null,
    ]
    await notifier.notify(eventOf('r', 4, 'READY', { outputs: outputsOfReady }))
    await until(() => notifier.stats.delivered === 3, 'runs')
    expect(outputs.map(({ stdout }) => stdout)).toEqual([
      '<alice>\n</recordings/a.mp4>\n',
      '<bob>\n</recordings/b c.mp4>\n',
      '<room-1>\n</recordings/all.m3u8>\n',
    ])
    expect(notifier.stats.duplicates).toBe(1)
    await notifier.close()
  })

  it.each([
    '/recordings/with spaces and\ttabs.mp4',
    '/recordings/ünïcödé 😀.mp4',
    '/recordings/$(touch INJECTED).mp4',
    '/recordings/`touch INJECTED`; touch INJECTED && x | y > z.mp4',
    '/recordings/"quotes" and \'quotes\' and \\.mp4',
    '/recordings/*?[a-z]~.mp4',
    '/recordings/line\nfeed.mp4',
    '/-rf',
  ])('gets %j as it is', async (path) => {
    const cwd = temporaryFolder()
    const { notifier, outputs } = await open(scriptOf(printArguments, 'a $(hook) script.sh'), { cwd })
    const participantId = '$(touch INJECTED) "p"'
    await notifier.notify(link(1, path, { participantId }))
    await notifier.notify(link(2, pathToFileURL(`${path}2`).href, { participantId }))
    await until(() => outputs.length === 2, 'runs')
    expect(outputs.map(({ stdout }) => stdout)).toEqual([
      `<${participantId}>\n<${path}>\n`,
      `<${participantId}>\n<${path}2>\n`,
    ])
    expect(existsSync(join(cwd, 'INJECTED'))).toBe(false)
    await notifier.close()
  })

  it('has an environment of its own, and inherits nothing', async () => {
    process.env['RUSHES_TEST_SECRET'] = 'inherited'
    const { notifier, outputs } = await open(scriptOf('env | sort'), { env: { OWN: 'value' } })
    await notifier.notify(link(1, '/a.mp4'))
    await until(() => outputs.length === 1, 'run')
    delete process.env['RUSHES_TEST_SECRET']
    const names = outputs[0]?.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name ?? ''))
    expect(names).toEqual([
      'LANG',
      'OWN',
      'PATH',
      'RUSHES_ATTEMPT',
      'RUSHES_EVENT_ID',
      'RUSHES_EVENT_TYPE',
      'RUSHES_RECORDING_ID',
      'RUSHES_ROOM_ID',
    ])
    await notifier.close()
  })

  it('gets the arguments that the host chooses', async () => {
    const { notifier, outputs } = await open(scriptOf(printArguments), {
      args: (event, { path, container }) => [event.type, path, container ?? ''],
    })
    await notifier.notify(link(1, '/a.mp4', { container: 'mp4' }))
    await until(() => outputs.length === 1, 'run')
    expect(outputs[0]?.stdout).toBe('<LINK>\n</a.mp4>\n<mp4>\n')
    await notifier.close()
  })

  it('that fails is not run again by default, and the next one is', async () => {
    const { notifier, reports, outputs } = await open(scriptOf('echo "$2" >&2; exit 3'))
    await notifier.notify(link(1, '/a.mp4'))
    await notifier.notify(link(2, '/b.mp4'))
    await until(() => reports.length === 2, 'reports')
    expect(outputs.map(({ stderr, exitCode }) => [stderr, exitCode])).toEqual([
      ['/a.mp4\n', 3],
      ['/b.mp4\n', 3],
    ])
    expect(reports[0]).toMatchObject({ state: 'failed', error: { code: 'HOOK_FAILED', status: 3 } })
    await notifier.close()
  })

  it('that fails is run again as often as asked', async () => {
    const { notifier, reports } = await open(scriptOf('[ "$RUSHES_ATTEMPT" = 3 ]'), { retries: 5 })
    await notifier.notify(link(1, '/a.mp4'))
    await until(() => notifier.stats.delivered === 1, 'success')
    expect(reports.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'delivered'])
    await notifier.close()
  })

  it('that runs too long is ended, with what it started, also when it heeds no SIGTERM', async () => {
    const folder = temporaryFolder()
    const script = scriptOf(
      `trap '' TERM\nsleep 300 &\necho $! > "${folder}/child"\necho $$ > "${folder}/self"\nwait\nwait`,
    )
    const { notifier, reports } = await open(script, { timeoutMs: 500, killAfterMs: 200 })
    const startMs = Date.now()
    await notifier.notify(link(1, '/a.mp4'))
    await until(() => reports.length === 1, 'report')
    expect(Date.now() - startMs).toBeLessThan(5000)
    expect(reports[0]).toMatchObject({ state: 'failed', error: { code: 'HOOK_TIMEOUT' } })
    for (const name of ['child', 'self']) {
      const pid = Number(readFileSync(join(folder, name), 'utf8'))
      await until(() => !isRunning(pid), `end of ${name}`)
    }
    await notifier.close()
  })

  it('that leaves a process behind which holds its output is done when it ends itself', async () => {
    const folder = temporaryFolder()
    const { notifier, outputs } = await open(scriptOf(`sleep 300 &\necho $! > "${folder}/child"\necho done`))
    const startMs = Date.now()
    await notifier.notify(link(1, '/a.mp4'))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(Date.now() - startMs).toBeLessThan(5000)
    expect(outputs[0]?.stdout).toBe('done\n')
    process.kill(Number(readFileSync(join(folder, 'child'), 'utf8')))
    await notifier.close()
  })

  it('may write as much as it likes; 64 KiB are kept', async () => {
    const { notifier, outputs } = await open(
      scriptOf('head -c 20000000 /dev/zero | tr "\\0" x; head -c 100 /dev/zero | tr "\\0" y >&2'),
    )
    await notifier.notify(link(1, '/a.mp4'))
    await until(() => notifier.stats.delivered === 1, 'run')
    expect(outputs[0]?.stdout).toBe('x'.repeat(65_536))
    expect(outputs[0]?.stderr).toBe('y'.repeat(100))
    expect(outputs[0]?.truncated).toBe(true)
    await notifier.close()
  })

  it('is ended by close, and run again at the next start', async () => {
    const journalDir = temporaryFolder()
    const folder = temporaryFolder()
    const script = scriptOf(`echo run >> "${folder}/runs"; [ -e "${folder}/go" ] || sleep 300`)
    const { notifier } = await open(script, { journalDir })
    await notifier.notify(link(1, '/a.mp4'))
    const runs = (): string => (existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8') : '')
    await until(() => runs() === 'run\n', 'start')
    await notifier.close()
    writeFileSync(join(folder, 'go'), '')
    const { notifier: second } = await open(script, { journalDir })
    await until(() => second.stats.delivered === 1, 'second run')
    expect(runs()).toBe('run\nrun\n')
    await second.close()
  })

  it('that disappears or has bad arguments is reported', async () => {
    const { notifier, reports } = await open(scriptOf('exit 0'), { cwd: '/nowhere' })
    await notifier.notify(link(1, '/a.mp4'))
    await notifier.notify(link(2, '/a\0b.mp4'))
    await until(() => reports.length === 2, 'reports')
    expect(reports.map(({ state, error }) => `${state} ${error?.code}`)).toEqual([
      'failed HOOK_NOT_STARTED',
      'failed HOOK_NOT_STARTED',
    ])
    await notifier.close()
  })

  it.each([
    ['path', { path: 'hook.sh' }],
    ['path', { path: '/nowhere/hook.sh' }],
    ['path', { path: '/etc' }],
    ['path', { path: '/etc/passwd' }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['killAfterMs', { killAfterMs: -1 }],
    ['retries', { retries: 0.5 }],
  ])('%s is named when it is wrong', async (field, options) => {
    await expect(open('/bin/true', options)).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field })
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A process that has ended and that nobody has waited for yet.
  return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}
