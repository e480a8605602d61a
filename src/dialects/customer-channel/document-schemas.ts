// The JSON schemas of the documents, made from the same zod schemas that read and write the wire.
import { z } from 'zod'
import { EXAMPLES, FIELDS } from './document-texts'
import * as rest from './rest-wire'
import * as wire from './wire'

export type JsonSchema = z.core.JSONSchema.BaseSchema
type Schemas = Readonly<Record<string, JsonSchema>>
type Override = Parameters<typeof z.toJSONSchema>[1] & object
type Looked = Parameters<NonNullable<Override['override']>>[0]

const PREFIX = '#/components/schemas/'
/** Requests are described as they are sent, answers as they arrive. */
const requests = z.registry<{ id: string }>()
const answers = z.registry<{ id: string }>()

for (const [name, value] of [...Object.entries(wire), ...Object.entries(rest)]) {
  const id = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
  if (value instanceof z.ZodType) answers.add(value, { id })
  else if (typeof value === 'object' && 'documented' in value) requests.add(value.documented, { id })
}
requests.add(wire.attachment, { id: 'AttachmentRequest' })

/** Every schema of the wire by its name, which is the name it is exported under. */
export const schemas: Schemas = { ...convert(requests, 'input'), ...convert(answers, 'output') }

/** A reference to a schema of the wire. */
export function ref(schema: z.ZodType): { readonly $ref: string } {
  const id = requests.get(schema)?.id ?? answers.get(schema)?.id
  if (id === undefined) throw new Error('A schema of the catalog is exported neither by wire.ts nor by rest-wire.ts')
  return { $ref: `${PREFIX}${id}` }
}
export const named = (name: string): { readonly $ref: string } => ({ $ref: `${PREFIX}${name}` })

/** The properties of a request, for parameters: what stands in a query is no schema of its own. */
export function propertiesOf(schema: z.ZodType): [name: string, schema: JsonSchema, required: boolean][] {
  const { properties = {}, required = [] } = schemas[ref(schema).$ref.slice(PREFIX.length)] ?? {}
  return Object.entries(properties).map(([name, property]) => [
    name,
    typeof property === 'object' ? property : {},
    required.includes(name),
  ])
}

/** The schemas that a document refers to, and those that they refer to. */
export function reachable(document: unknown): Schemas {
  const found: Record<string, JsonSchema> = {}
  const visit = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      const schema = schemas[name]
      if (!schema || Object.hasOwn(found, name)) continue
      found[name] = schema
      visit(schema)
    }
  }
  visit(document)
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function convert(registry: typeof requests, io: 'input' | 'output'): Schemas {
  const converted = z.toJSONSchema(registry, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    uri: (id) => `${PREFIX}${id}`,
    override: (looked) => {
      soften(looked.jsonSchema)
      if (io === 'input') keepLimit(looked)
    },
  })
  return Object.fromEntries(
    Object.entries(converted.schemas).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [
      name,
      explain(name, schema),
    ]),
  )
}

/** Takes out what helps no reader, or would forbid keys that later versions add. */
function soften(schema: JsonSchema): void {
  if (schema.format === 'date-time') delete schema.pattern
  if (schema.additionalProperties === false) delete schema.additionalProperties
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  // Where unknown keys are kept inside; on the wire they stand beside the others.
  if (schema.properties?.['extras'] === undefined) return
  delete schema.properties['extras']
  if (schema.required) schema.required = schema.required.filter((name) => name !== 'extras')
}

/** What is cleaned before it is measured is a pipe; its limits stand at the far end. */
function keepLimit({ zodSchema, jsonSchema }: Looked): void {
  const { def } = zodSchema._zod
  if (def.type !== 'pipe' || jsonSchema.type !== 'string' || !(def.out instanceof z.ZodString)) return
  const { minLength, maxLength } = def.out
  if (minLength !== null) jsonSchema.minLength ??= minLength
  if (maxLength !== null) jsonSchema.maxLength ??= maxLength
}

function explain(name: string, schema: JsonSchema): JsonSchema {
  const example = EXAMPLES[name]
  describeProperties(name, schema)
  return example === undefined ? schema : { ...schema, examples: [example] }
}
function describeProperties(owner: string, { properties = {}, items }: JsonSchema): void {
  for (const [key, property] of Object.entries(properties)) {
    if (typeof property !== 'object' || property.$ref) continue
    const text = property.description ?? FIELDS[`${owner}.${key}`] ?? FIELDS[key]
    if (text !== undefined) property.description = text
    describeProperties(owner, property)
  }
  if (typeof items === 'object' && !Array.isArray(items)) describeProperties(owner, items)
}
