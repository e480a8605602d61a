// The two documents of the Customer Channel API, each made once for a place: OpenAPI for its routes, AsyncAPI for its events.
import { describeEvents } from './document-events'
import { describeRoutes } from './document-routes'
import type { DocumentPlace } from './document-texts'

/** OpenAPI 3.1. */
export const openApiDocument = once(describeRoutes)
/** AsyncAPI 3.0. */
export const asyncApiDocument = once(describeEvents)

function once<T>(describe: (place: DocumentPlace) => T): (place: DocumentPlace) => T {
  const made = new Map<string, T>()
  return (place) => {
    const key = JSON.stringify([place.url, place.basePath, place.version])
    const document = made.get(key) ?? describe(place)
    made.set(key, document)
    return document
  }
}
