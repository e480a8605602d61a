// The page of the first minute: a customer and an agent side by side, each an ordinary client of the gateway.
import { openAgentSide } from './agent'
import { openCustomerSide } from './customer'

/** The page stands at the gateway's base path. */
const gateway = new URL('.', document.baseURI)
openCustomerSide(gateway)
openAgentSide(gateway)
