/** The part of JSON Schema 2020-12 that the manifest's schema uses. A keyword that is not known here throws. */
interface Schema {
  readonly [keyword: string]: unknown
}

/** Where a value breaks a schema; empty is well. */
export function schemaErrors(root: Schema, value: unknown): string[] {
  const errors: string[] = []
  check(root, value, '$')
  return errors

  function check(schema: Schema, at: unknown, path: string): void {
    for (const [keyword, rule] of Object.entries(schema)) {
      if (!isKept(keyword, rule, schema, at, path)) errors.push(`${path}: ${keyword} ${JSON.stringify(rule)}`)
    }
  }

  /** Whether one keyword holds for the value itself; what lies in it is checked on the way. */
  function isKept(keyword: string, rule: unknown, schema: Schema, at: unknown, path: string): boolean {
    switch (keyword) {
      case '$schema':
      case '$id':
      case '$defs':
      case 'title':
      case 'description':
        return true
      case '$ref': {
        const name = String(rule).replace('#/$defs/', '')
        check((root['$defs'] as Record<string, Schema>)[name] as Schema, at, path)
        return true
      }
      case 'type':
        return typeOf(at) === rule || (rule === 'number' && typeOf(at) === 'integer')
      case 'const':
        return at === rule
      case 'enum':
        return (rule as unknown[]).includes(at)
      case 'pattern':
        return typeof at !== 'string' || new RegExp(String(rule), 'u').test(at)
      case 'minLength':
        return typeof at !== 'string' || at.length >= Number(rule)
      case 'minimum':
        return typeof at !== 'number' || at >= Number(rule)
      case 'minItems':
        return !Array.isArray(at) || at.length >= Number(rule)
      case 'maxItems':
        return !Array.isArray(at) || at.length <= Number(rule)
      case 'items':
        if (Array.isArray(at)) for (const [i, item] of at.entries()) check(rule as Schema, item, `${path}[${i}]`)
        return true
      case 'required':
        return typeOf(at) !== 'object' || (rule as string[]).every((key) => Object.hasOwn(at as object, key))
      case 'properties':
        if (typeOf(at) !== 'object') return true
        for (const [key, inner] of Object.entries(rule as Record<string, Schema>)) {
          if (Object.hasOwn(at as object, key)) check(inner, (at as Record<string, unknown>)[key], `${path}.${key}`)
        }
        return true
      case 'additionalProperties':
        return (
          rule !== false ||
          typeOf(at) !== 'object' ||
          Object.keys(at as object).every((key) => key in (schema['properties'] as object))
        )
      default:
        throw new Error(`${path}: the keyword ${keyword} is not known`)
    }
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number'
  return typeof value
}
