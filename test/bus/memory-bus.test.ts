// The bus of one node keeps the contract of the bus.
import { MemoryBus } from '../../src/bus/memory-bus'
import { busContract } from '../contracts/bus.contract'

busContract('memory', async () => {
  const faults: unknown[] = []
  const bus = new MemoryBus({ onFault: (cause) => faults.push(cause) })
  return { nodes: [bus, bus, bus], faults, close: () => bus.close() }
})
