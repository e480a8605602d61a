// Thrown inside an engine to roll a batch back: something was not as the decision assumed. It never leaves the engine.
export class Conflict extends Error {
  override readonly name = 'Conflict'
}
