import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freeTcpPort } from './free-tcp-port.js'
import { percentEncoded, signedRequest, type TestKeys } from './radosgw-request.js'

const run = promisify(execFile)

/** All programs of a small Ceph are installed. */
export const hasRadosgw: boolean = ['radosgw', 'radosgw-admin', 'ceph', 'ceph-mon', 'ceph-osd', 'monmaptool'].every(
  (program) => {
    try {
      execFileSync('which', [program], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  },
)

/** A real S3 with IAM and STS, of its own, on the loopback, in memory. */
export interface Radosgw {
  readonly endpoint: string
  readonly port: number
  /** Owns the buckets, and may do everything. */
  readonly owner: TestKeys
  /** May do nothing, but assume roles. */
  readonly recorder: TestKeys
  createBucket(bucket: string): Promise<void>
  /** A role that the recorder may assume, with these permissions; gives its ARN. */
  createRole(name: string, permissions: unknown): Promise<string>
  /** What lies in a bucket under a key, read by its owner. */
  read(bucket: string, key: string): Promise<Uint8Array | undefined>
  /** Keys of uploads in parts that were begun and neither finished nor aborted. */
  openUploads(bucket: string): Promise<readonly string[]>
  /** Ends them all, as a rule of the bucket does. */
  abortUploads(bucket: string): Promise<void>
  stop(): Promise<void>
}

/** Starts one; takes two seconds. It holds `gibibytes` of objects, and what was removed for some seconds. */
export async function startRadosgw(options: { readonly gibibytes?: number } = {}): Promise<Radosgw> {
  const folder = mkdtempSync(join(tmpdir(), 'rushes-radosgw-'))
  const processes: ChildProcess[] = []
  const stop = async (): Promise<void> => {
    for (const child of processes.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    return { ...(await start(folder, processes, options.gibibytes ?? 4)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(folder: string, processes: ChildProcess[], gibibytes: number): Promise<Omit<Radosgw, 'stop'>> {
  const port = await freeTcpPort()
  const monPort = await freeTcpPort()
  const fsid = randomUUID()
  const conf = join(folder, 'ceph.conf')
  for (const name of ['mon', 'osd', 'rgw', 'run', 'log']) mkdirSync(join(folder, name))
  writeFileSync(conf, configuration(folder, fsid, port, monPort, gibibytes))
  writeFileSync(join(folder, 'keyring'), '')

  const launch = (program: string, args: readonly string[]): ChildProcess => {
    const log = openSync(join(folder, 'log', `${program}.out`), 'a')
    const child = spawn(program, ['-c', conf, ...args], { stdio: ['ignore', log, log] })
    child.on('error', (error) => appendFileSync(join(folder, 'log', `${program}.out`), String(error)))
    closeSync(log)
    processes.push(child)
    return child
  }
  const ceph = (...args: string[]): Promise<{ stdout: string }> =>
    run('ceph', ['-c', conf, '--connect-timeout', '20', ...args], { timeout: 30_000 })
  const admin = async (...args: string[]): Promise<string> =>
    (await run('radosgw-admin', ['-c', conf, '-n', 'client.admin', ...args], { timeout: 30_000 })).stdout

  const monmap = join(folder, 'monmap')
  await run('monmaptool', ['--create', '--clobber', '--fsid', fsid, '--addv', 'a', `[v1:127.0.0.1:${monPort}]`, monmap])
  await run('ceph-mon', ['-c', conf, '--mkfs', '-i', 'a', '--monmap', monmap])
  launch('ceph-mon', ['-f', '-i', 'a'])
  const osdId = randomUUID()
  await ceph('osd', 'new', osdId)
  await run('ceph-osd', ['-c', conf, '-i', '0', '--mkfs', '--osd-uuid', osdId])
  // Before the daemon: it would race for its place in the map and sometimes lose.
  await ceph('osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=localhost')
  let osd = launch('ceph-osd', ['-f', '-i', '0'])
  await until(async () => {
    if (osd.exitCode !== null) osd = launch('ceph-osd', ['-f', '-i', '0'])
    return (await ceph('osd', 'stat')).stdout.includes('1 up')
  })
  launch('radosgw', ['-f', '-n', 'client.rgw', '--no-mon-config'])
  const endpoint = `http://127.0.0.1:${port}`
  await until(async () => (await fetch(endpoint)).status > 0)

  const owner = { accessKeyId: 'OWNERKEY000000000000', secretAccessKey: 'owner/secret+owner/secret+owner/secret00' }
  const recorder = { accessKeyId: 'RECORDERKEY000000000', secretAccessKey: 'recorder/secret+recorder/secret+record00' }
  for (const [uid, keys, caps] of [
    ['owner', owner, ['--caps=roles=*;user-policy=*']],
    ['recorder', recorder, []],
  ] as const) {
    const secret = `--secret-key=${keys.secretAccessKey}`
    await admin(
      'user',
      'create',
      `--uid=${uid}`,
      `--display-name=${uid}`,
      `--access-key=${keys.accessKeyId}`,
      secret,
      ...caps,
    )
  }

  const uploadsOf = async (bucket: string): Promise<{ readonly key: string; readonly uploadId: string }[]> => {
    const answer = await signedRequest(endpoint, owner, { method: 'GET', path: `/${bucket}`, query: { uploads: '' } })
    const found = (await answer.text()).matchAll(/<Upload>.*?<Key>(.*?)<\/Key>.*?<UploadId>(.*?)<\/UploadId>/g)
    return [...found].map(([, key = '', uploadId = '']) => ({ key, uploadId }))
  }

  return {
    endpoint,
    port,
    owner,
    recorder,
    createBucket: async (bucket) => {
      const answer = await signedRequest(endpoint, owner, { method: 'PUT', path: `/${bucket}` })
      if (!answer.ok) throw new Error(`no bucket ${bucket}: ${answer.status} ${await answer.text()}`)
    },
    createRole: async (name, permissions) => {
      const trust = {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: ['arn:aws:iam:::user/recorder'] }, Action: ['sts:AssumeRole'] },
        ],
      }
      await admin(
        'role',
        'create',
        `--role-name=${name}`,
        '--path=/',
        `--assume-role-policy-doc=${JSON.stringify(trust)}`,
      )
      const policy = `--policy-doc=${JSON.stringify(permissions)}`
      await admin('role-policy', 'put', `--role-name=${name}`, '--policy-name=permissions', policy)
      return `arn:aws:iam:::role/${name}`
    },
    read: async (bucket, key) => {
      const path = `/${bucket}/${key.split('/').map(percentEncoded).join('/')}`
      const answer = await signedRequest(endpoint, owner, { method: 'GET', path })
      if (answer.status === 404) return undefined
      if (!answer.ok) throw new Error(`${key} cannot be read: ${answer.status} ${await answer.text()}`)
      return new Uint8Array(await answer.arrayBuffer())
    },
    openUploads: async (bucket) => (await uploadsOf(bucket)).map(({ key }) => key),
    abortUploads: async (bucket) => {
      for (const { key, uploadId } of await uploadsOf(bucket)) {
        const path = `/${bucket}/${key.split('/').map(percentEncoded).join('/')}`
        const answer = await signedRequest(endpoint, owner, { method: 'DELETE', path, query: { uploadId } })
        if (!answer.ok) throw new Error(`the upload of ${key} cannot be ended: ${answer.status}`)
      }
    },
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      if (await holds()) return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    if (Date.now() > deadline) throw new Error('radosgw does not come up')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

// No cephx, no systemd, nothing outside the folder. Keys before STS in the order, or a wrong secret and an unknown key
// would read alike.
function configuration(folder: string, fsid: string, port: number, monPort: number, gibibytes: number): string {
  return `[global]
fsid = ${fsid}
mon_host = v1:127.0.0.1:${monPort}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
auth_supported = none
run_dir = ${folder}/run
admin_socket = ${folder}/run/$name.asok
pid_file = ${folder}/run/$name.pid
log_file = ${folder}/log/$name.log
keyring = ${folder}/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_allow_pool_delete = true
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
mon_data_avail_warn = 1
mon_data_avail_crit = 1
mon_osd_report_timeout = 86400
mon_osd_full_ratio = .99
mon_osd_backfillfull_ratio = .98
mon_osd_nearfull_ratio = .97
paxos_propose_interval = 0.05
paxos_min_wait = 0.02
mon_tick_interval = 1
osd_heartbeat_interval = 6
[mon]
mon_data = ${folder}/mon
mon_cluster_log_file = ${folder}/log/cluster.log
mon_warn_on_pool_no_redundancy = false
[osd]
osd_data = ${folder}/osd
osd_objectstore = memstore
memstore_device_bytes = ${gibibytes}G
osd_class_update_on_start = false
osd_crush_update_on_start = false
osd_class_default_list = *
osd_class_load_list = *
osd_memory_target = 939524096
osd_max_object_name_len = 1024
[client]
rgw_data = ${folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_enable_usage_log = false
rgw_s3_auth_use_sts = true
rgw_s3_auth_order = local, sts
rgw_sts_key = abcdefghijklmnop
rgw_crypt_require_ssl = false
rgw_init_timeout = 30
rgw_thread_pool_size = 16
rgw_run_sync_thread = false
rgw_enable_gc_threads = true
rgw_gc_obj_min_wait = 2
rgw_gc_processor_period = 2
rgw_enable_apis = s3, sts, iam, admin
rgw_lc_max_worker = 1
rgw_num_rados_handles = 1
rgw_dns_name = localhost
`
}
