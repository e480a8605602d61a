// How a connection to Redis is opened, so that whatever goes wrong on it ends that connection and nothing else.
import { AbstractConnector } from 'ioredis'
import { connect as connectPlainly, type Socket } from 'node:net'
import { connect as connectOverTls } from 'node:tls'
import type { RedisAddress } from './redis-address'

/**
 * What the client takes as its `Connector`: its own hears one error of a connection, and a second one, such as the alert of
 * a server that was refused for its certificate and left at once, would end the process as an error that nobody hears.
 * @param disconnectMs how long a server has to end a connection that was ended here
 */
export function connectorTo({ host, port, tls }: RedisAddress, disconnectMs: number): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(disconnectMs)
    }
    // A promise, for the client listens to the connection from the same turn on in which it gets it.
    connect(): Promise<Socket> {
      const stream = tls ? connectOverTls({ host, port }) : connectPlainly({ host, port })
      stream.once('error', (cause: Error) => (this.firstError = cause))
      stream.on('error', () => stream.destroy())
      this.stream = stream
      return Promise.resolve(stream)
    }
  }
}
