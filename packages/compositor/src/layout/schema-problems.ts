import type { LayoutProblem } from './layout-error.js'
import { nearest } from './nearest-name.js'

/** The keywords of JSON Schema that the layouts' schema uses, and no others. */
interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

/**
 * What is wrong with a value by a schema, in words for whoever wrote the file: a validator's own errors would name
 * keywords, and every branch of a union. Unknown properties come first: a misspelt name often explains the rest.
 */
export function schemaProblems(schema: Schema, value: unknown, path = ''): LayoutProblem[] {
  if (schema.anyOf !== undefined) return unionProblems(schema.anyOf, value, path)
  if (schema.const !== undefined || schema.enum !== undefined) {
    const allowed = schema.enum ?? [schema.const]
    return allowed.includes(value) ? [] : [problem(path, `must be ${list(allowed)}`, value, allowed)]
  }
  switch (schema.type) {
    case 'object':
      return isObject(value) ? objectProblems(schema, value, path) : [problem(path, 'must be an object', value)]
    case 'array':
      return Array.isArray(value) ? arrayProblems(schema, value, path) : [problem(path, 'must be a list', value)]
    case 'number':
    case 'integer':
      return inRange(schema, value) ? [] : [problem(path, `must be ${wording(schema)}`, value)]
    case 'string':
      return isText(schema, value) ? [] : [problem(path, `must be ${wording(schema)}`, value)]
    default:
      return typeof value === 'boolean' ? [] : [problem(path, 'must be true or false', value)]
  }
}

/** Of the branches of the value's own kind, if there are any: a wrong number need not hear of strings. */
function unionProblems(branches: readonly Schema[], value: unknown, path: string): LayoutProblem[] {
  const each = branches.map((branch) => schemaProblems(branch, value, path))
  if (each.some((problems) => problems.length === 0)) return []
  if (isObject(value)) {
    const index = branches.findIndex((branch) => branch.type === 'object')
    if (index >= 0) return each[index] ?? []
  }
  return [problem(path, `must be ${branches.map(wording).join(', or ')}`, value)]
}

function objectProblems(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): LayoutProblem[] {
  const properties = schema.properties ?? {}
  const names = Object.keys(properties)
  const problems: LayoutProblem[] = []
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(properties, name)) continue
    const guess = nearest(name, names)
    const hint = guess === undefined ? `there are ${names.join(', ')}` : `did you mean ${guess}?`
    problems.push({ path: member(path, name), reason: `is not known here; ${hint}` })
  }
  for (const name of schema.required ?? []) {
    if (value[name] !== undefined) continue
    problems.push({ path: member(path, name), reason: `is missing, must be ${wording(properties[name] ?? {})}` })
  }
  for (const [name, inner] of Object.entries(properties)) {
    if (value[name] !== undefined) problems.push(...schemaProblems(inner, value[name], member(path, name)))
  }
  return problems
}

function arrayProblems(schema: Schema, value: readonly unknown[], path: string): LayoutProblem[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = schema
  if (value.length < minItems) return [{ path, reason: `must have at least ${minItems} of them, got ${value.length}` }]
  if (value.length > maxItems) return [{ path, reason: `must have at most ${maxItems} of them, got ${value.length}` }]
  const problems = value.flatMap((item, index) =>
    items === undefined ? [] : schemaProblems(items, item, `${path}[${index}]`),
  )
  const twice = schema.uniqueItems === true ? value.findIndex((item, index) => value.indexOf(item) < index) : -1
  if (twice >= 0) problems.push(problem(`${path}[${twice}]`, 'must not be there twice', value[twice]))
  return problems
}

function inRange(schema: Schema, value: unknown): boolean {
  return (
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (schema.type !== 'integer' || Number.isInteger(value)) &&
    value >= (schema.minimum ?? value) &&
    value <= (schema.maximum ?? value) &&
    (schema.exclusiveMinimum === undefined || value > schema.exclusiveMinimum)
  )
}

function isText(schema: Schema, value: unknown): boolean {
  if (typeof value !== 'string') return false
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return false
  const characters = [...value].length
  return characters >= minLength && characters <= maxLength
}

function wording(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(wording).join(', or ')
  if (schema.enum !== undefined) return list(schema.enum)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  switch (schema.type) {
    case 'number':
    case 'integer': {
      const { minimum, maximum, exclusiveMinimum } = schema
      const what = schema.type === 'integer' ? 'a whole number ' : ''
      return exclusiveMinimum === undefined
        ? `${what}from ${minimum} to ${maximum}`
        : `${what}above ${exclusiveMinimum} and at most ${maximum}`
    }
    case 'string':
      if (schema.pattern?.startsWith('^#') === true) return 'a colour such as "#202124"'
      if (schema.pattern !== undefined) return 'pixels such as "12px"'
      return schema.maxLength === undefined
        ? 'a string'
        : `a string of ${schema.minLength ?? 0} to ${schema.maxLength} characters`
    case 'array':
      return 'a list'
    case 'object':
      return `an object with ${Object.keys(schema.properties ?? {}).join(', ')}`
    default:
      return 'true or false'
  }
}

function problem(path: string, rule: string, got: unknown, allowed: readonly unknown[] = []): LayoutProblem {
  const guess =
    typeof got === 'string'
      ? nearest(
          got,
          allowed.filter((name) => typeof name === 'string'),
        )
      : undefined
  return { path, reason: `${rule}, got ${shown(got)}${guess === undefined ? '' : `; did you mean ${guess}?`}` }
}

/** Long values would hide the message. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
}

const list = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ')
const member = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** A JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
