// The clients for Node.js behind the contract of ../README.md. Started as `main.mjs CLIENT DIR VERB BOOTSTRAP`; DIR is
// where package-lock.json was installed.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [name, directory, verb, bootstrap] = process.argv.slice(2)
const packages = createRequire(join(directory, 'package.json'))
const load = async name => import(pathToFileURL(packages.resolve(name)))

const text = bytes => bytes == null ? null : Buffer.from(bytes).toString('base64')
const bytes = text => text === null ? null : Buffer.from(text, 'base64')

const { default: open } = await import(`./${name}.mjs`)
const client = await open(load, bootstrap)

function parsed(line) {
  const job = JSON.parse(line)
  for (const record of job.records ?? []) {
    record.key = bytes(record.key)
    record.value = bytes(record.value)
    record.headers = record.headers.map(([name, value]) => [name, bytes(value)])
  }
  return job
}

function shown(records) {
  return records.map(({ offset, timestamp, key, value, headers }) => ({
    offset: Number(offset), timestamp: Number(timestamp), key: text(key), value: text(value),
    headers: headers.map(([name, value]) => [String(name), text(value)])
  }))
}

function * causes(problem) {
  for (; problem; problem = problem.cause ?? problem.errors?.[0]) yield problem
}

async function answer(job) {
  try {
    if (verb === 'write') return { offsets: await client.write(job) }
    return { records: shown(await client.read(job)) }
  } catch (problem) {
    const all = [...causes(problem)]
    // What a client cannot do by its own word is told apart from what goes wrong.
    const beyond = all.find(cause => client.cannot?.(cause))
    return beyond ? { skip: beyond.message } : { error: all.join(': ') }
  }
}

if (verb === 'version') {
  const { version } = JSON.parse(readFileSync(join(directory, 'node_modules', client.module, 'package.json')))
  console.log(`${client.module} ${version} on Node.js ${process.versions.node}`)
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const job = parsed(line)
    console.log(JSON.stringify({ topic: job.topic, ...await answer(job) }))
  }
}
await client.close()
