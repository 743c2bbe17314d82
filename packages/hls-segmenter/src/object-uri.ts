/** Between the name of a stored object and the URI reference by which a playlist names it (RFC 3986). */

/**
 * The reference to object `to` from inside object `from`; both are names with `/` between components.
 * Everything but unreserved characters is percent-encoded, so that any name is a legal URI and a legal line.
 */
export function relativeUri(from: string, to: string): string {
  const base = from.split('/').slice(0, -1)
  const target = to.split('/')
  let common = 0
  while (common < base.length && common < target.length - 1 && base[common] === target[common]) common++
  const up = base.slice(common).map(() => '..')
  const down = target.slice(common).map(encodeURIComponent)
  return [...up, ...down].join('/')
}

/** The way back: the name of the object that `uri` refers to from inside object `from`. */
export function referredName(from: string, uri: string): string {
  const components = from.split('/').slice(0, -1)
  for (const component of uri.split('/')) {
    if (component === '..') components.pop()
    else components.push(decoded(component))
  }
  return components.join('/')
}

function decoded(component: string): string {
  try {
    return decodeURIComponent(component)
  } catch {
    // Not percent-encoded by us: a stray % stands for itself.
    return component
  }
}
