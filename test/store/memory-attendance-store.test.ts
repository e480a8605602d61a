// The contract of the attendance store, on memory.
import { attendanceStoreContract } from '../contracts/attendance-store.contract'
import { openTestMemory } from '../support/databases'

attendanceStoreContract('memory', openTestMemory)
