// The wire's schemas, of which this folder takes the types, count bytes with this one name of Node. Nothing else gets in.
interface BufferConstructor {
  byteLength(text: string): number
}
// eslint-disable-next-line no-var -- it merges with Node's own where both are seen
declare var Buffer: BufferConstructor
